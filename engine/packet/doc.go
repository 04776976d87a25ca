// Package packet reads and writes Engine.IO packets and the payloads of HTTP long-polling (protocol revision 4).
// It knows nothing of transports, sessions or Socket.IO.
//
// # Lifetime of slices
//
// Every slice handed out is a part of the slice handed in and lives exactly as long. Base64 packets are decoded in place,
// so the bytes of such a packet are overwritten by [DecodeText] and [Payload.Next]; nothing outside that packet is touched.
// The Append functions write behind dst and keep nothing.
//
// # Where it is stricter than Node
//
// Node turns invalid UTF-8 of a polling body into U+FFFD and skips characters that are not base64; both are refused here
// ([ErrUTF8], [ErrBase64]), because what was not sent should not be delivered. Missing base64 padding is accepted.
package packet
