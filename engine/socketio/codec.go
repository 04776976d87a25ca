package socketio

import (
	"encoding/json"
	"sync"
)

// Codec turns arguments into JSON and back. Options.JSON replaces the default, which is encoding/json without its escaping
// of <, > and &, so that text looks as JSON.stringify leaves it. Strings, integers, booleans, [Raw] and attachments that
// are arguments of their own do not pass through it.
//
// Both methods must be safe for concurrent use. Marshal must write bytes as encoding/json does, as a base64 string: that
// is how attachments inside of values are found. Unmarshal must not keep data, whose memory is used again.
type Codec interface {
	Marshal(v any) ([]byte, error)
	Unmarshal(data []byte, v any) error
}

// standardCodec is the default Codec.
type standardCodec struct{}

func (standardCodec) Marshal(v any) ([]byte, error) { return appendStandard(nil, v) }

func (standardCodec) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// orStandard returns the default for a nil codec.
func orStandard(codec Codec) Codec {
	if codec == nil {
		return standardCodec{}
	}
	return codec
}

// appendMarshal appends v as the codec writes it. The default codec writes into dst without a copy in between.
func appendMarshal(dst []byte, codec Codec, v any) ([]byte, error) {
	if _, ok := codec.(standardCodec); ok {
		return appendStandard(dst, v)
	}
	out, err := codec.Marshal(v)
	if err != nil {
		return dst, err
	}
	return append(dst, out...), nil
}

// appendStandard appends v as encoding/json writes it, without HTML escapes and the newline of json.Encoder.
func appendStandard(dst []byte, v any) ([]byte, error) {
	s := streams.Get().(*stream)
	s.to = dst
	err := s.encoder.Encode(v)
	out := s.to
	s.to = nil
	streams.Put(s)
	if err != nil {
		return dst, err
	}
	return out[:len(out)-1], nil
}

// stream is a json.Encoder that appends to a slice. It is pooled because an encoder is the only way to switch HTML escapes
// off, and would be garbage after each value.
type stream struct {
	encoder *json.Encoder
	to      []byte
}

var streams = sync.Pool{New: func() any {
	s := new(stream)
	s.encoder = json.NewEncoder(s)
	s.encoder.SetEscapeHTML(false)
	return s
}}

// Write appends p. It is called once per value.
func (s *stream) Write(p []byte) (int, error) {
	s.to = append(s.to, p...)
	return len(p), nil
}
