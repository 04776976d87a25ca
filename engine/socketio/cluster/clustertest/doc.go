// Package clustertest tests that servers which an adapter connects behave as one: [Run]
// is the same for every adapter. Its [Bus] is a broker within the process, with faults on
// demand.
package clustertest
