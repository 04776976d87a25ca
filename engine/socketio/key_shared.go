package socketio

import "encoding/json"

// NewSharedKey returns a key whose values travel, as JSON under this name, with what
// other servers learn of a socket by FetchSockets. Each server declares it with the
// same name, unlike that of any other key.
func NewSharedKey[T any](name string) Key[T] { return Key[T]{&keyID{name: name}} }

// Of returns the value that a fetched socket has, and whether it has one: of a socket
// of another server only if the key is shared and what came is a T.
func (k Key[T]) Of(r *RemoteSocket) (v T, ok bool) {
	if r.local != nil {
		return k.Lookup(r.local)
	}
	data, ok := r.state.Data[k.id.name]
	if !ok || k.id.name == "" || r.nsp.server.options.JSON.Unmarshal(data, &v) != nil {
		var zero T
		return zero, false
	}
	return v, true
}

// shared returns the socket's values of shared keys. One that cannot be encoded is
// left out, and reported.
func (s *Socket) shared() map[string]json.RawMessage {
	s.mu.Lock()
	var values []value
	if s.rare != nil {
		for _, v := range s.rare.values {
			if v.key.name != "" {
				values = append(values, v)
			}
		}
	}
	s.mu.Unlock()
	data := make(map[string]json.RawMessage, len(values))
	for _, v := range values {
		b, err := s.nsp.server.options.JSON.Marshal(v.v)
		if err != nil {
			s.report(s.nsp.server.base, err)
			continue
		}
		data[v.key.name] = b
	}
	return data
}
