// Command scale holds hundreds of thousands of Socket.IO connections on one machine
// and broadcasts to all of them.
//
//	go run ./bench/scale --connections 200000
//
// A process may have only so many descriptors, so the program starts itself again:
// as servers, each on a port of its own, built on the library as its users would, and
// as one client process for each server. When all connections stand, memory is taken;
// then a client of each server has it broadcast, and every connection checks every
// number. One line of JSON on standard output, progress on standard error; the exit
// code is 0 only when every connection was held and every delivery came, once and in
// order.
package main
