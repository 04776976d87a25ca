// Package report is what a load run says about itself: one JSON value on standard
// output, the same shape whether a peer, the scale run or the load client wrote it,
// so that tables and charts are made from files and can be made again.
package report
