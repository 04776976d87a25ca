// Package packet reads and writes Engine.IO packets and the payloads of HTTP long-polling, of protocol revision 4 and, in
// the functions whose names end in V3, of revision 3. It knows nothing of transports, sessions or Socket.IO.
//
// # Lifetime of slices
//
// Every slice handed out is a part of the slice handed in and lives exactly as long. Base64 packets are decoded in place,
// so the bytes of such a packet are overwritten by [DecodeText], [Payload.Next] and their V3 forms; nothing outside that
// packet is touched.
// The Append functions write behind dst and keep nothing.
//
// # Where it is stricter than Node
//
// Node turns invalid UTF-8 of a polling body into U+FFFD and skips characters that are not base64; both are refused here
// ([ErrUTF8], [ErrBase64]), because what was not sent should not be delivered. Missing base64 padding is accepted.
// In payloads of revision 3 lengths are plain decimals, and binary packets are messages: Node reads whatever JavaScript takes
// for a number, shortens a last packet that is too short, and passes over binary packets of other types.
package packet
