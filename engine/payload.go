package engine

import "github.com/fanfare-go/fanfare/engine/packet"

// A poll is answered with a payload: the packets that wait, in the form that the
// client can read. Packets without data are written here, frames have it ready.

// payloadForm is the form in which what waits is to be sent. Only revision 3 knows
// more than one: what has binary in it goes as bytes, unless the client wants none.
func (s *Session) payloadForm() form {
	switch {
	case !s.has(flagEIO3):
		return formPolling
	case s.has(flagBase64):
		return formPollingV3
	}
	for _, f := range s.poll.frames {
		if f.attached {
			return formPollingV3Bytes
		}
	}
	return formPollingV3
}

// contentType is that of a payload in the form k.
func (k form) contentType() string {
	if k == formPollingV3Bytes {
		return octetStream
	}
	return textPlain
}

// appendBare appends a packet without data to a payload in the form k.
func (k form) appendBare(dst []byte, t packet.Type) []byte {
	pkt := [1]byte{'0' + byte(t)}
	switch k {
	case formPollingV3:
		return packet.AppendPayloadTextV3(dst, pkt[:])
	case formPollingV3Bytes:
		return packet.AppendBinaryPayloadTextV3(dst, pkt[:])
	}
	return append(separated(dst), pkt[:]...)
}

// separated appends what stands between two packets of revision 4.
func separated(dst []byte) []byte {
	if len(dst) > 0 {
		dst = append(dst, packet.Separator)
	}
	return dst
}

// takePayload appends the waiting packets to dst, in the form it returns, and
// releases them.
func (s *Session) takePayload(dst []byte) ([]byte, form) {
	p, k := s.poll, s.payloadForm()
	p.flags &^= pollCompress
	if p.flags&pollPing != 0 {
		p.flags = p.flags&^pollPing | pollCompress // which counts for Node
		dst = k.appendBare(dst, s.ourBeat())
		s.loop.stats.packetsOut.Add(1)
	}
	s.loop.stats.packetsOut.Add(uint64(len(p.frames)))
	for _, f := range p.frames {
		if k == formPolling {
			dst = separated(dst)
		}
		dst = append(dst, f.payload(s.loop.srv, k)...)
		if !f.noCompress {
			p.flags |= pollCompress
		}
	}
	s.dropQueue()
	return dst, k
}
