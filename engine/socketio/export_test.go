package socketio

import (
	"context"
	"time"
	"unsafe"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// Sizes of what exists once per client.
const (
	ClientSize = unsafe.Sizeof(client{})
	SocketSize = unsafe.Sizeof(Socket{})
	RareSize   = unsafe.Sizeof(rare{})
	EntrySize  = unsafe.Sizeof(entry{})
)

// HasRequest reports whether the socket's session still keeps its request.
func HasRequest(s *Socket) bool { return s.client.session.Request() != nil }

// HasRare reports whether the socket needed more than itself.
func HasRare(s *Socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rare != nil
}

// Job lets tests put functions through the pool.
type Job struct {
	Work    func(n int) (more bool)
	Abandon func()
}

func (j *Job) work(n int) bool { return j.Work(n) }
func (j *Job) abandon()        { j.Abandon() }

// Pool is the worker pool.
type Pool struct{ p *pool }

// NewPool makes one.
func NewPool(limit int) (Pool, error) {
	p, err := newPool(limit)
	return Pool{p}, err
}

func (p Pool) Schedule(j *Job)                 { p.p.schedule(j) }
func (p Pool) Wait(ctx context.Context) error  { return p.p.wait(ctx) }
func (p Pool) Close(ctx context.Context) error { return p.p.close(ctx) }
func (p Pool) Load() (busy, waiting int)       { return p.p.load() }

// FairShare is how many entries of one socket are handled in a row.
const FairShare = fairShare

// FIFO is the queue of mailboxes and of the pool.
type FIFO struct{ q fifo[int] }

func (f *FIFO) Push(v int)       { f.q.push(v) }
func (f *FIFO) Pop() (int, bool) { return f.q.pop() }
func (f *FIFO) Len() int         { return f.q.len() }

// IDs returns a source of socket ids.
func IDs() func() string {
	src := new(idSource)
	return func() string {
		id := src.next()
		return string(id[:])
	}
}

// Table is the socket table of a namespace.
type Table struct{ t socketTable }

// Add enters a socket of this id and returns what takes it out again.
func (t *Table) Add(id string) (remove func(), ok bool) {
	s := new(Socket)
	copy(s.id[:], id)
	ok = t.t.add(s)
	return func() { t.t.remove(s) }, ok
}

func (t *Table) Has(id string) bool { return t.t.find(id) != nil }
func (t *Table) Len() int           { return t.t.len() }

// PendingAcks returns how many acknowledgements of the socket are waited for.
func PendingAcks(s *Socket) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rare == nil {
		return 0
	}
	return len(s.rare.acks)
}

// PendingSurveys returns how many broadcasts of the namespace are waited for.
func PendingSurveys(n *Namespace) int {
	n.surveys.mu.Lock()
	defer n.surveys.mu.Unlock()
	return len(n.surveys.byID)
}

// QueuedRoomEvents returns how many room events of the namespace wait for those who
// listen.
func QueuedRoomEvents(n *Namespace) int {
	n.editing.Lock()
	defer n.editing.Unlock()
	n.book.relay.mu.Lock()
	defer n.book.relay.mu.Unlock()
	return n.book.relay.queue.len()
}

// Scheduled reports whether the socket has a mailbox at this moment.
func Scheduled(s *Socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.box != nil
}

// Bench returns a server with workers and no network, and a client of it that is
// connected to the default namespace, to measure what a packet costs up to its handler.
func Bench(o Options) (v *Server, receive func(packet []byte) error, stop func()) {
	v = New(o)
	p, err := newPool(v.options.Workers)
	if err != nil {
		panic(err)
	}
	v.workers.Store(p)
	c := &client{server: v}
	s, err := c.newSocket(v.main, false) // there is no session to ask
	if err != nil {
		panic(err)
	}
	s.state = connected
	return v, c.Text, func() { _ = p.close(context.Background()) }
}

// Watching returns how many sockets of the namespace have outgoing listeners.
func Watching(n *Namespace) int { return len(n.overhearing.all()) }

// CallAndAck is what an event costs between its session and its acknowledgement's
// frame: the packet is decoded, its first handler called, the reply encoded.
func CallAndAck(v *Server, packet []byte) error {
	p, err := parser.Decode(packet, &v.limits)
	if err != nil {
		return err
	}
	name, list, err := parser.EventName(p.Data)
	if err != nil {
		return err
	}
	h := v.main.table.Load().events[string(name)][0]
	value, err := h.run(context.Background(), nil, newArgs(list, nil, v.options.JSON))
	if err != nil {
		return err
	}
	e, err := v.main.encodeReply(value)
	if err != nil {
		return err
	}
	f, err := e.frame(parser.Ack, v.main, p.ID, true)
	e.free()
	if err == nil {
		f.Release()
	}
	return err
}

// KeyEIO3 is by what a socket of Socket.IO 2 is found.
func KeyEIO3(session string) string {
	key := keyEIO3(session)
	return string(key[:])
}

// LogRooms returns how many rooms the log of events has a ring for.
func LogRooms(v *Server) int {
	v.log.mu.Lock()
	defer v.log.mu.Unlock()
	return len(v.log.rooms)
}

// FormatOffset and ParseOffset are the text of offsets of a server's log.
func FormatOffset(v *Server, n uint64) string             { return offsetOf(v.log.epoch, n) }
func ParseOffset(v *Server, s string) (n uint64, ok bool) { return parseOffset(s, v.log.epoch) }

// RecoveryKey is what a client shows in its CONNECT packet to be recovered.
func RecoveryKey(auth []byte) (pid, offset string, ok bool) {
	k, ok := keyOf(auth)
	return string(k.pid[:]), k.offset, ok
}

// ConfirmedAfter reports whether the socket's client is known to have all that was
// emitted before that time.
func ConfirmedAfter(s *Socket, t time.Time) bool {
	s.mu.Lock()
	r := s.returnable()
	s.mu.Unlock()
	l := s.nsp.server.log
	l.mu.Lock()
	defer l.mu.Unlock()
	return r.confirmed > t.Sub(l.began).Milliseconds()
}

// ForeignOffset is what an adapter is asked for where a client shows text.
func ForeignOffset(text string) string { return foreign(text) }

// Marks returns how many offsets of adapters the log has a number for.
func Marks(v *Server) int {
	v.log.mu.Lock()
	defer v.log.mu.Unlock()
	return v.log.marks.order.len()
}
