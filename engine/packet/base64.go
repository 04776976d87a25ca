package packet

// notBase64 marks a byte outside the alphabet. Its top bit is not in any value, so one OR over four values tests them all.
const notBase64 = 0x80

// base64Values maps a byte to its six bits (RFC 4648, section 4).
var base64Values = func() (t [256]byte) {
	for i := range t {
		t[i] = notBase64
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	return t
}()

// decodeBase64 decodes src into dst and returns the number of bytes written. dst may be the same memory, beginning at or
// before src: three bytes are written only after the four they come from were read. The standard library's decoder makes
// no such promise, and it skips line breaks, which have no place in a packet.
func decodeBase64(dst, src []byte) (n int, ok bool) {
	src = trimPadding(src)
	for len(src) >= 4 && len(dst) >= n+3 {
		a, b, c, d := base64Values[src[0]], base64Values[src[1]], base64Values[src[2]], base64Values[src[3]]
		if (a|b|c|d)&notBase64 != 0 {
			return 0, false
		}
		w := dst[n : n+3 : n+3]
		w[0], w[1], w[2] = a<<2|b>>4, b<<4|c>>2, c<<6|d
		n += 3
		src = src[4:]
	}
	return decodeTail(dst, src, n)
}

// decodeTail decodes the last two or three characters, which stand for one or two bytes.
func decodeTail(dst, src []byte, n int) (int, bool) {
	if len(src) == 0 {
		return n, true
	}
	if len(src) == 1 || len(src) > 3 {
		return 0, false
	}
	var v [3]byte
	for i, c := range src {
		if v[i] = base64Values[c]; v[i] == notBase64 {
			return 0, false
		}
	}
	dst[n] = v[0]<<2 | v[1]>>4
	if len(src) == 3 {
		dst[n+1] = v[1]<<4 | v[2]>>2
	}
	return n + len(src) - 1, true
}

// trimPadding takes the '=' signs away if they fill up the last group of four.
func trimPadding(src []byte) []byte {
	n := len(src)
	if n == 0 || n%4 != 0 || src[n-1] != '=' {
		return src
	}
	if src[n-2] == '=' {
		return src[:n-2]
	}
	return src[:n-1]
}
