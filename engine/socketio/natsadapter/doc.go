// Package natsadapter connects servers through NATS, a server of its own or the one that
// package embedded runs within the process.
package natsadapter
