package proxyproto

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

const (
	// MaxV1 is the longest line of version 1 with its line end, in bytes (section 2.1).
	MaxV1 = 107
	// MaxV2 is the longest header of version 2 that is read, in bytes: what the
	// specification has every receiver take (section 2.2). Senders add some 100 bytes of
	// TLVs.
	MaxV2 = 536
)

// ErrNone says that the bytes begin with something else.
var ErrNone = errors.New("proxyproto: no header")

// What is wrong with a header.
var (
	ErrLine    = errors.New("proxyproto: malformed line of version 1")
	ErrVersion = errors.New("proxyproto: unknown version or command")
	ErrFamily  = errors.New("proxyproto: unknown address family or transport")
	ErrLength  = errors.New("proxyproto: header too long, or too short for its addresses")
)

// Header is what a balancer says of a connection.
type Header struct {
	// Source is the client; the zero value where the connection is the balancer's own, as
	// for a health check (LOCAL, UNKNOWN), or not of TCP or UDP.
	Source netip.AddrPort
	// Destination is where the client connected to; likewise.
	Destination netip.AddrPort
}

// signature begins version 2.
const signature = "\r\n\r\n\x00\r\nQUIT\n"

// Parse reads the header at the start of b.
//
//   - n > 0: the header is complete and took n bytes.
//   - n == 0 and err == nil: incomplete. Call again with the same bytes and more.
//   - err == ErrNone: the bytes are something else's.
//   - another error: it begins as a header does, and is none.
//
// It looks at MaxV2 bytes at most. Safe for concurrent use.
func Parse(b []byte) (h Header, n int, err error) {
	switch {
	case begins(b, signature):
		return parseV2(b)
	case begins(b, "PROXY "):
		return parseV1(b)
	}
	return Header{}, 0, ErrNone
}

// begins reports that b begins with s, or may once there is more of it.
func begins(b []byte, s string) bool {
	n := min(len(b), len(s))
	return string(b[:n]) == s[:n]
}

// parseV1 reads "PROXY TCP4 source destination port port" (section 2.1).
func parseV1(b []byte) (h Header, n int, err error) {
	i := bytes.IndexByte(b[:min(len(b), MaxV1)], '\n')
	switch {
	case i < 0 && len(b) >= MaxV1:
		return h, 0, ErrLength
	case i < 0:
		return h, 0, nil
	case i == 0 || b[i-1] != '\r':
		return h, 0, ErrLine
	}
	fields := strings.Split(string(b[:i-1]), " ")
	if len(fields) > 1 && fields[1] == "UNKNOWN" { // whatever follows
		return h, i + 1, nil
	}
	if len(fields) != 6 {
		return h, 0, ErrLine
	}
	var ok, ok2 bool
	h.Source, ok = endpoint(fields[1], fields[2], fields[4])
	h.Destination, ok2 = endpoint(fields[1], fields[3], fields[5])
	if !ok || !ok2 {
		return Header{}, 0, ErrLine
	}
	return h, i + 1, nil
}

// endpoint reads an address of the family and its port.
func endpoint(family, address, port string) (at netip.AddrPort, ok bool) {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Zone() != "" || (family != "TCP4" || !ip.Is4()) && (family != "TCP6" || !ip.Is6()) {
		return at, false
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil || port[0] == '+' || len(port) > 1 && port[0] == '0' {
		return at, false
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(p)), true
}

const (
	fixedV2 = 16 // bytes in front of the addresses
	sizeIP4 = 12 // bytes of two addresses and two ports
	sizeIP6 = 36
	unix    = 216
)

// parseV2 reads the binary header (section 2.2). What follows the addresses is TLVs, and
// skipped.
func parseV2(b []byte) (h Header, n int, err error) {
	const local, proxy = 0x20, 0x21
	if len(b) > 12 && b[12] != local && b[12] != proxy {
		return h, 0, ErrVersion
	}
	if len(b) < fixedV2 {
		return h, 0, nil
	}
	n = fixedV2 + int(binary.BigEndian.Uint16(b[14:]))
	size := 0
	if b[12] == proxy { // of LOCAL, the rest is to be ignored
		var known bool
		if size, known = sizeOf(b[13]); !known {
			return h, 0, ErrFamily
		}
	}
	switch {
	case n > MaxV2 || n < fixedV2+size:
		return h, 0, ErrLength
	case len(b) < n:
		return h, 0, nil
	}
	switch block := b[fixedV2:n]; size {
	case sizeIP4:
		h = addresses[[4]byte](block, netip.AddrFrom4)
	case sizeIP6:
		h = addresses[[16]byte](block, netip.AddrFrom16)
	}
	return h, n, nil
}

// sizeOf is how many bytes the addresses of a family and transport have at least.
func sizeOf(family byte) (size int, known bool) {
	switch transport := family & 0xf; {
	case transport > 2:
		return 0, false
	case family>>4 == 0:
		return 0, true
	case family>>4 == 1:
		return sizeIP4, true
	case family>>4 == 2:
		return sizeIP6, true
	case family>>4 == 3:
		return unix, true
	}
	return 0, false
}

// addresses reads two addresses and then two ports.
func addresses[T [4]byte | [16]byte](b []byte, from func(T) netip.Addr) Header {
	var source, destination T
	n := len(source)
	for i := range n {
		source[i], destination[i] = b[i], b[n+i]
	}
	return Header{
		Source:      netip.AddrPortFrom(from(source).Unmap(), binary.BigEndian.Uint16(b[2*n:])),
		Destination: netip.AddrPortFrom(from(destination).Unmap(), binary.BigEndian.Uint16(b[2*n+2:])),
	}
}
