package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// arguments are an event's: raw JSON with $binary in place of attachments.
type arguments struct{ array []byte }

func (a *arguments) setRaw(value []byte) error {
	if _, ok := opening(value, '['); !ok {
		return Invalid("want an array")
	}
	a.array = value
	return nil
}

// parse returns what to give to Emit.
func (a *arguments) parse() (socketio.Args, error) {
	if a.array == nil {
		return socketio.Args{}, nil
	}
	array, attachments, err := detach(a.array)
	if err != nil {
		return socketio.Args{}, err
	}
	args, err := socketio.ParseArgs(array, attachments)
	if err != nil {
		return args, Invalid("args: %v", err)
	}
	return args, nil
}

// binaryKey is the one key of an object that is binary.
var binaryKey = []byte(`"$binary"`)

// detach puts a placeholder in place of every {"$binary": "base64"} of a valid array, and
// returns what they stand for. Without any it is the array itself.
func detach(array []byte) (out []byte, attachments [][]byte, err error) {
	if !bytes.Contains(array, binaryKey) {
		return array, nil, nil
	}
	out, err = rewrite(array, func(dst, rest []byte) ([]byte, int, error) {
		text, n := binaryObject(rest)
		if n == 0 {
			return dst, 0, nil
		}
		data, err := decodeBase64(text)
		if err != nil {
			return dst, 0, err
		}
		dst = append(dst, `{"_placeholder":true,"num":`...)
		dst = strconv.AppendInt(dst, int64(len(attachments)), 10)
		attachments = append(attachments, data)
		return append(dst, '}'), n, nil
	})
	return out, attachments, err
}

// rewrite copies JSON, and lets replace have a look at every object in it: replace appends
// what is to stand there instead of the n bytes that it returns, 0 for leave it.
func rewrite(b []byte, replace func(dst, rest []byte) ([]byte, int, error)) ([]byte, error) {
	dst := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		switch b[i] {
		case '"':
			end := skipString(b, i)
			dst = append(dst, b[i:end]...)
			i = end
			continue
		case '{':
			var n int
			var err error
			if dst, n, err = replace(dst, b[i:]); err != nil {
				return nil, err
			}
			if n > 0 {
				i += n
				continue
			}
		}
		dst = append(dst, b[i])
		i++
	}
	return dst, nil
}

// binaryObject reads {"$binary": "…"} at the beginning of b: the string with its quotes,
// and the length of the object; 0 where it is another one.
func binaryObject(b []byte) (text []byte, n int) {
	key, value, next, more := firstMember(b, binaryKey)
	if !more || !bytes.Equal(key, binaryKey) || value[0] != '"' || b[next] != '}' {
		return nil, 0
	}
	return value, next + 1
}

// firstMember is member for the first one of the object at the beginning of b, if its key
// is want: the values of others may be long, and would be looked at once per level.
func firstMember(b, want []byte) (key, value []byte, next int, more bool) {
	i := skipSpace(b, 1)
	if !bytes.HasPrefix(b[i:], want) {
		return nil, nil, 0, false
	}
	end := skipString(b, i)
	if end-i != len(want) {
		return nil, nil, 0, false
	}
	v := skipSpace(b, skipSpace(b, end)+1)
	if v < len(b) && (b[v] == '{' || b[v] == '[') {
		return nil, nil, 0, false
	}
	return member(b, i, true)
}

// decodeBase64 reads a JSON string of base64, padded or not.
func decodeBase64(text []byte) ([]byte, error) {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, Invalid("args: $binary: want a string of base64")
	}
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, Invalid("args: $binary: want base64 with padding (%v)", err)
	}
	return data, nil
}

// attach is the reverse of detach: the arguments of an acknowledgement as JSON.
func attach(a socketio.Args) json.RawMessage {
	attachments := a.Attachments()
	text := []byte(a.String())
	if len(attachments) == 0 {
		return text
	}
	out, err := rewrite(text, func(dst, rest []byte) ([]byte, int, error) {
		num, n := placeholder(rest)
		if n == 0 || num >= len(attachments) {
			return dst, 0, nil
		}
		dst = append(dst, `{"$binary":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, attachments[num])
		return append(dst, `"}`...), n, nil
	})
	if err != nil {
		panic(err) // replace returns none
	}
	return out
}

// maxPlaceholder is the longest placeholder that is recognised, in bytes; clients write
// some 30.
const maxPlaceholder = 128

// placeholder reads a placeholder at the beginning of b: its number, and its length; 0
// where it is another object.
func placeholder(b []byte) (num, n int) {
	end := bytes.IndexByte(b[:min(len(b), maxPlaceholder)], '}') + 1
	if end == 0 || !bytes.Contains(b[:end], []byte(`"_placeholder"`)) {
		return 0, 0
	}
	var p struct {
		Placeholder bool `json:"_placeholder"`
		Num         int  `json:"num"`
	}
	if json.Unmarshal(b[:end], &p) != nil || !p.Placeholder || p.Num < 0 {
		return 0, 0
	}
	return p.Num, end
}
