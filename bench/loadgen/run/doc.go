// Package run is the load client's course: a parent that starts as many copies of
// this program as the connections need, has them open, send and receive in step,
// asks the kernel what server and clients used, and adds everything up.
//
// Parent and children exchange lines of JSON at the borders of phases only. While a
// phase runs they share a page of memory (the ledger): each child counts there what
// has arrived, and the first one, which sends, sees when all is there. Times are the
// kernel's monotonic clock, which all processes of a machine share; a message carries
// the time it was meant to be sent at.
package run
