// Package tunnel makes connections between servers that have nothing between them but a
// broker of messages: a [Tunnel] carries streams of bytes over a [Carrier]. It is how a
// request that has reached the wrong server comes to the right one; see package forward.
//
// A Carrier may lose messages, and a broker may be away. A stream never hides that: every
// part of it says where it belongs, and one that does not fit ends the stream with an error,
// like a network connection that was cut. What a stream's reader gets is always a beginning
// of what was written, and [io.EOF] only where that was all.
//
// What comes over a Carrier is as untrusted as what comes from a client: lengths, numbers and
// states are checked, and streams, buffers and peers are bounded. Who may use the broker,
// however, may open streams in the name of any client: whoever is not to do that needs to be
// kept from the broker.
package tunnel
