// Package parser turns Socket.IO packets (protocol revision 5) into bytes and back, in the JSON encoding of the default
// parser. Arguments stay raw JSON until somebody knows their type: [Decode] proves that they are JSON, of the right shape
// and not too deep, and [Args], [EventName] and [Placeholder] take them apart without decoding. What needs a session, such
// as whether a namespace was joined, is the caller's business.
//
// # Lifetime of slices
//
// [Packet], [Args] and what they hand out are parts of the input and live exactly as long, with two exceptions, which own
// their memory: the name of [EventName] when it was written with escapes, and everything that comes out of [Binary].
// The Append functions write behind dst and keep nothing.
//
// # Encoding
//
// The input is expected to be UTF-8; floors below have checked that. Invalid UTF-8 is passed on as it is, never repaired.
//
// # Where it differs from Node
//
// The accepted packets are those of socket.io-parser 4.2.7 except for what no client sends: white space between header and
// payload (Node reads it as acknowledgement id 0), attachment counts and placeholder numbers in other notations than plain
// decimal digits, two placeholders for one attachment, an acknowledgement without id or payload, a binary packet without
// payload, ids above 2^53 or of more than 16 digits, and whatever exceeds [Limits]. Placeholders are checked before the attachments arrive, not
// after, and wherever they stand in the text, including values that a repeated key hides.
package parser
