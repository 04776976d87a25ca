// Package http1 reads HTTP/1.1 requests out of bytes that an event loop has
// received, and writes responses as bytes for it to send. It is strict, small
// and resumable: [ParseHead] reads one request head, [Body] decodes one request
// body, [Response] writes an answer of known length. It knows nothing of
// sockets, routes, CORS policy or Engine.IO.
//
// # Strictness
//
// What two servers could read in two ways is refused, because that is what
// request smuggling is made of: a lone LF or CR, folded fields, space before the
// colon, Content-Length beside Transfer-Encoding or given twice (even with equal
// values), transfer codings other than chunked, several Host fields, an
// absolute-form target that disagrees with Host. Two choices go beyond what
// RFC 9112 asks for: an empty line before the request line is refused (§2.2 lets
// a server skip it), and so is a target with octets outside ASCII or a "#". A
// refusal is an [*Error] and carries the status to answer with; the connection
// must be closed after it, since where the next request begins is then unknown.
//
// Whatever ParseHead accepts, [net/http.ReadRequest] accepts with the same
// meaning, and the same holds for bodies. The fuzz targets hold this true.
//
// # Resuming
//
// A head or a body may arrive in any number of pieces. The result, errors
// included, does not depend on how it was cut.
//
// # How long slices are valid
//
// Nothing is copied. The slices of a [Request] and of its fields point into the
// buffer given to ParseHead, those returned by [Body.Next] into the one given to
// Next: valid as long as that buffer is left alone. [QueryValue] returns a part
// of its argument unless decoding made a copy necessary. Functions named Append
// extend the given slice and keep nothing.
//
// # Concurrency
//
// Nothing here locks, starts goroutines or looks at the clock. A Request or Body
// belongs to one goroutine at a time, normally that of one loop.
package http1
