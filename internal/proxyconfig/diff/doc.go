// Package diff compares what two Envoys run, or what one runs with what istiod
// would send it, by meaning: what has no order is compared without, and what
// differs by nature (versions, timestamps, a pod's own address) is passed over.
//
// A dump is read element by element. Elements of one name are compared by a
// hash over their JSON first, which knows neither the order of members nor
// what [ignored] names; only those that differ are decoded, normalised
// (normal.go), paired (pair.go) and compared (compare.go). So two dumps of
// 60 MB cost little more than reading them, and only what differs is in memory.
package diff
