package socketio

import "strings"

// Namespace returns the namespace of this name if it is there; unlike Of it never makes
// one, whoever may name it. A slash in front is added where it is missing; "" and "/" are
// the default namespace. Children that clients made are found, parents are not. Safe for
// concurrent use.
func (v *Server) Namespace(name string) (n *Namespace, ok bool) {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	if n := (*v.namespaces.Load())[name]; n != nil {
		return n, true
	}
	v.creating.Lock()
	defer v.creating.Unlock()
	if c := v.children[name]; c != nil && c.there() {
		return c.nsp, true
	}
	return nil, false
}
