// Package api is how backends publish: HTTP and JSON on an address of its own, with an API
// key. It emits to rooms, collects acknowledgements, tells who is there, moves and
// disconnects sockets, and reads and writes the history of the chat. docs/api.md is for
// its users, openapi.yaml has every path and field, and is served at /openapi.yaml.
//
// Arguments of events are passed on as they stand: numbers keep their digits, objects the
// order of their keys. An object of one key, {"$binary": "base64"}, travels as a binary
// attachment, in both directions.
//
// Everything is bounded: bodies, batches, pages, acknowledgements, requests at a time,
// what idempotency keys remember. What a request costs is its sender's alone. Nothing
// here runs on an event loop, and nothing keeps slices of a request's body.
//
// The package knows the Socket.IO server; what a chat message is and who stores it, it is
// told by Options.
package api
