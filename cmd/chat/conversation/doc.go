// Package conversation is the contract of the chat and its handlers: messages, rooms, names, presence, typing, and the
// call for what was said before. docs/chat.md is the contract in the words of those who write front ends; the constants
// and types of contract.go are the same in Go.
//
// Handlers run on the server's workers, one at a time per socket. What is acknowledged late (a message, when its history
// is durable) is acknowledged by one goroutine that exists while somebody waits. Presence is told by one timer for all
// rooms, which exists while something has changed.
//
// A client that only listens has nothing here: no entry, no timer, no value. The lobby's presence goes to those who asked
// for it, so that a crowd of others costs it nothing.
package conversation
