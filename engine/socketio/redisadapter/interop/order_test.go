package interop_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// order is what a server of a fleet is told, Node's and ours in the same words. The fields stand for the chain of
// operators that an application would write: To(Rooms).Except(Except).Volatile()...
type order struct {
	Op         string `json:"op"`
	Namespace  string `json:"nsp,omitempty"`  // default "/"
	From       string `json:"from,omitempty"` // the socket that sends, in place of the namespace
	Rooms      []any  `json:"rooms,omitempty"`
	Except     []any  `json:"except,omitempty"`
	Volatile   bool   `json:"volatile,omitempty"`
	NoCompress bool   `json:"noCompress,omitempty"`
	Local      bool   `json:"local,omitempty"`
	Timeout    int    `json:"timeout,omitempty"` // ms that acknowledgements are waited for
	Event      string `json:"event,omitempty"`
	Args       []any  `json:"args,omitempty"`
	N          int    `json:"n,omitempty"`

	Verb    string `json:"verb,omitempty"`    // of remote and emitter
	ID      string `json:"id,omitempty"`      // of the one socket that is meant
	Targets []any  `json:"targets,omitempty"` // the rooms to join or leave
	Close   bool   `json:"close,omitempty"`   // the connection, too
	Label   string `json:"label,omitempty"`   // what the application knows of the socket
}

// result is what comes of an order.
type result struct {
	Missing bool    `json:"missing"` // not everybody has answered
	Answers []any   `json:"answers"`
	Sockets []found `json:"sockets"`
	Heard   [][]any `json:"heard"`
	Count   int     `json:"count"`
	Rooms   []string
}

// found is a socket as fetchSockets tells of it.
type found struct {
	ID        string   `json:"id"`
	Rooms     []string `json:"rooms"`
	Label     string   `json:"label"`
	Handshake struct {
		Query   string `json:"query"`
		Auth    string `json:"auth"`
		Header  string `json:"header"`
		Address string `json:"address"`
		Secure  bool   `json:"secure"`
		XDomain bool   `json:"xdomain"`
		Path    string `json:"path"`
		Recent  bool   `json:"recent"`
	} `json:"handshake"`
}

// server is a server of a fleet.
type server interface {
	url() string
	// do fails the test where the order cannot be carried out.
	do(t testing.TB, o order) result
	// try is do for orders that may fail.
	try(o order) (result, error)
}

// date is a Date in Node and a time.Time here.
type date struct {
	Milliseconds int64 `json:"$date"`
}

// values decodes arguments: binary becomes bytes, dates become times, numbers stay as they are written.
func values(raw json.RawMessage) ([]any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var list []any
	if err := d.Decode(&list); err != nil {
		return nil, err
	}
	return thaw(list).([]any), nil
}

func thaw(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = thaw(v[i])
		}
	case map[string]any:
		if b, ok := v["$bin"].(string); ok {
			var bin []byte
			_ = json.Unmarshal([]byte(`"`+b+`"`), &bin) // the test's own
			return bin
		}
		if ms, ok := v["$date"].(json.Number); ok {
			n, _ := ms.Int64()
			return time.UnixMilli(n).UTC()
		}
		for k := range v {
			v[k] = thaw(v[k])
		}
	}
	return v
}

// freeze is the other way round.
func freeze(v any) any {
	switch v := v.(type) {
	case []byte:
		return map[string]any{"$bin": v}
	case []any:
		for i := range v {
			v[i] = freeze(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = freeze(v[k])
		}
	}
	return v
}
