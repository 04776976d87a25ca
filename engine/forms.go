package engine

// form says how the bytes of a Frame look to one kind of client. A connection that
// speaks WebSocket has one, set when it begins to: connections of one form get the
// same bytes, and share corks.
type form uint8

const (
	formPlain    form = iota // one WebSocket frame per message: what a Frame is built as
	formV3                   // revision 3: binary messages have a type in front
	formV3Base64             // revision 3: binary messages are text

	// forms is how many there are over WebSocket; each has a root of corks. The others
	// come behind.
	forms
)

const (
	formPolling        = forms + iota // packets joined by packet.Separator (fact 15)
	formPollingV3                     // packets with lengths in front of them (fact 13)
	formPollingV3Bytes                // the same, as bytes
)

// made is a Frame in one form other than formPlain. Immutable.
type made struct {
	form  form
	bytes []byte
	next  *made
}

// wire returns what a client of the form k gets; l is the caller's loop. Safe for
// concurrent use.
func (f *Frame) wire(l *loop, k form) []byte {
	if k == formPlain || k.keepsText() && !f.attached {
		return f.plain()
	}
	return f.in(l, k)
}

// size is the length of wire.
func (f *Frame) size(l *loop, k form) int { return len(f.wire(l, k)) }

// weight is what a queued reference counts for, in bytes. It is the same for all
// forms: a frame that waits need not have been made into one.
func (f *Frame) weight() int { return len(f.plain()) }

// payload returns one of the polling forms. Safe for concurrent use.
func (f *Frame) payload(l *loop, k form) []byte { return f.in(l, k) }

// in returns a form other than formPlain, made on first need, once for all loops.
func (f *Frame) in(l *loop, k form) []byte {
	if m := f.made.Load().find(k); m != nil {
		return m.bytes
	}
	f.making.Lock()
	defer f.making.Unlock()
	return f.make(l, k)
}

// make is in while f.making is held. One form may be made of another.
func (f *Frame) make(_ *loop, k form) (b []byte) {
	all := f.made.Load()
	if m := all.find(k); m != nil {
		return m.bytes
	}
	switch k {
	case formV3, formV3Base64, formPollingV3, formPollingV3Bytes:
		b = appendV3(make([]byte, 0, f.weight()+f.weight()/3+16), f.plain(), k)
	case formPolling:
		b = appendPolling(make([]byte, 0, f.weight()+f.weight()/3+8), f.plain())
	default:
		panic("engine: no such form")
	}
	f.made.Store(&made{form: k, bytes: b, next: all})
	return b
}

// find returns what is made for k, or nil.
func (m *made) find(k form) *made {
	for m != nil && m.form != k {
		m = m.next
	}
	return m
}
