// Package netpod makes a network namespace that holds one Envoy look like the whole network, so that every connection
// this Envoy makes is answered and every connection to it can be made:
//
//   - all IPv4 addresses are local: whatever address Envoy connects to is answered by the servers of this package;
//   - the servers speak plaintext and TLS, HTTP/1.1, HTTP/2 and TCP, whichever the client begins with, and say what they got;
//   - a name server answers every name with one address;
//   - connections come in through a Unix socket, from and to any address ([Dial]).
//
// In a pod, iptables sends a connection to Envoy's port 15001 or 15006 and the kernel remembers its destination. Here
// a PROXY protocol header says it. Envoy's listeners need a proxy_protocol filter in place of original_dst for that.
package netpod
