package socketio

// messageEvent is what Send emits.
const messageEvent = "message"

// Send emits the event "message". Node: socket.send, write.
func (s *Socket) Send(args ...any) error { return s.Emit(messageEvent, args...) }

// Send emits the event "message" to every socket of the namespace. Node:
// namespace.send, write.
func (n *Namespace) Send(args ...any) error { return n.Emit(messageEvent, args...) }

// Send emits the event "message" to every socket of the default namespace. Node:
// io.send, write.
func (v *Server) Send(args ...any) error { return v.main.Send(args...) }
