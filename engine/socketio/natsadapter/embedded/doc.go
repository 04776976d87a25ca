// Package embedded runs a NATS server within the process, one of a cluster of such
// processes, so that package natsadapter needs no other broker.
package embedded
