// Package ztunnel reads what a ztunnel, the node proxy of ambient mode, says on
// its admin port: its workloads, services, policies, certificates, connections
// and log levels.
//
// The fields of a dump are those that ztunnel writes; the lists of newer
// versions and the maps of older ones are read alike. Only known fields are
// decoded, so nothing secret can pass.
package ztunnel
