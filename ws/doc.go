// Package ws speaks RFC 6455 in bytes: it cuts client frames out of whatever
// arrives, checks and unmasks them in place, joins fragments into messages,
// answers upgrade requests and builds server frames. Header rules and close
// codes are those of github.com/gobwas/ws.
//
// The package owns no connection, clock or goroutine. A caller feeds what it
// has read into a [Reader], which reports to a [Sink]; what is to be sent is
// appended to the caller's buffers. Nothing here is safe for concurrent use
// except functions without a receiver, [Limits] and the prepared values.
//
// # How long slices are valid
//
// A slice passed to a Sink is valid until that call returns. It may be part
// of the slice given to Feed, which Feed unmasks in place, or of a pooled
// buffer that the next message will use. Whoever keeps it copies it. Functions
// named Append… return their first argument, extended. The slices that
// [NextFrame] returns lie inside its argument.
//
// # Extensions
//
// permessage-deflate (RFC 7692) is there for those who call [Handshake.Negotiate]:
// without context takeover in either direction, so that nothing is kept per client,
// and a message compressed once is good for all. To the Sink compressed messages are
// messages like any other.
package ws
