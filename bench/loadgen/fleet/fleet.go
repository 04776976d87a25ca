package fleet

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
	"golang.org/x/sys/unix"
)

const (
	// eventsPerTurn is how many connections a Turn reads at most, so that what is due
	// in between is not late by more than a few ms.
	eventsPerTurn = 1024
	// readSize is the space for one read, in bytes; a connection rarely has more.
	readSize = 256 << 10
	// restAtMost keeps a nap from holding up the process's other goroutine.
	restAtMost = 10 * time.Millisecond
	// wakeEvery is how long a Turn waits at most where nothing naps: whoever drives
	// the fleet looks at other things too.
	wakeEvery = time.Millisecond
)

// Hears is which texts a fleet counts.
type Hears uint8

// What there is to hear.
const (
	Broadcasts = Hears(broadcast)
	Echoes     = Hears(echo)
)

// Options say what the connections are. All fields but Slow must be set.
type Options struct {
	Servers     []string // host:port; connection i goes to server i modulo their number
	Sources     []string // IPv4 addresses to connect from, used evenly
	Dialect     string
	First, N    int // this fleet has connections First to First+N-1 of the run
	Payload     int // bytes of a text
	Hears       Hears
	Poll        time.Duration        // least time between two looks; 0 waits for events
	Concurrency int                  // dials at a time
	Slow        func(index int) bool // which connections do not read
	Stall       time.Duration        // longest wait for a handshake
}

// phase is how far a connection has come.
type phase uint8

const (
	closed    phase = iota
	dialing         // connect has been called
	upgrading       // the request is sent
	greeting        // the dialect's handshake
	ready
	asleep   // ready once, does not read
	draining // woken up: reads, and is not heard
)

// conn is one connection: 56 bytes, see TestConnectionsAreSmall.
type conn struct {
	sequence sequence
	carry    []byte        // the beginning of a frame or response; nil when there is none
	begun    time.Duration // when it was due to be dialed
	fd       int32
	phase    phase
	step     uint8 // of the dialect's handshake
	busy     bool  // an echo is under way
}

// Fleet is the connections of one process.
type Fleet struct {
	o          Options
	dialect    dialect
	texts      texts
	targets    []target
	sources    []source
	epoll      int
	conns      []conn
	events     []unix.EpollEvent
	in         []byte        // what was read last
	now        time.Duration // when that was
	out        []byte        // what is sent next
	text       []byte        // and its parts
	outMessage []byte
	spare      [][]byte         // carries not in use
	unsent     map[int32][]byte // what the kernel had no room for, by connection
	echoed     int              // round trips done since Echoed was called
	cursor     int              // where Idle looks next
	polled     time.Duration    // when the connections were looked at last
	err        error            // a server that does not keep to the protocol

	// Tally is what came since Reset.
	Tally Tally
	// Joined is how many connections have finished the handshake and are open.
	Joined int
	// Asleep is how many do not read; SlowClosed how many of them the server closed.
	Asleep, SlowClosed int
	// Drained is how many bytes they had not read when they were woken.
	Drained uint64
}

// Tally is what connections have received.
type Tally struct {
	Counts
	Heard     report.Histogram // lateness of each text, or of each handshake
	LastHeard time.Duration    // when the last of them came
	Closed    int              // connections that the server closed
	Reason    string           // why the first of them was
}

// New returns a fleet without connections.
func New(o Options) (*Fleet, error) {
	f := &Fleet{
		o: o, texts: newTexts(o.Payload), events: make([]unix.EpollEvent, eventsPerTurn),
		in: make([]byte, readSize+4*o.Payload), unsent: map[int32][]byte{},
	}
	var err error
	if f.dialect, err = newDialect(o.Dialect); err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	if f.targets, err = resolve(o.Servers); err != nil {
		return nil, err
	}
	if f.sources, err = parseAddresses(o.Sources); err != nil {
		return nil, err
	}
	f.conns = make([]conn, o.N)
	if f.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("fleet: epoll: %w", err)
	}
	return f, nil
}

// Reset forgets what came; the connections' sequence numbers go on.
func (f *Fleet) Reset() { f.Tally = Tally{} }

// Lost is how many of the numbers below end the reading connections have not
// received, those included that were closed.
func (f *Fleet) Lost(end uint32) (lost uint64) {
	for i := range f.conns {
		if !f.slow(i) {
			lost += f.conns[i].sequence.lost(end)
		}
	}
	return lost
}

// Close closes every connection; Open may be called again.
func (f *Fleet) Close() {
	for i := range f.conns {
		if c := &f.conns[i]; c.phase != closed {
			f.drop(c)
		}
		f.conns[i] = conn{}
	}
	clear(f.unsent)
	f.Joined, f.Asleep, f.SlowClosed, f.echoed = 0, 0, 0, 0
}

// Release closes everything for good.
func (f *Fleet) Release() error {
	f.Close()
	return unix.Close(f.epoll)
}

// Turn looks at the connections once, reads what has come, and then rests: until the
// next look may be taken, or until the time given. It returns early while there is
// more to read. An error is a server that does not keep to the protocol.
func (f *Fleet) Turn(until time.Duration) error {
	wait := 0
	if f.o.Poll == 0 {
		wait = f.untilMillis(until)
	}
	f.polled = Now()
	n := f.wait(wait)
	for _, e := range f.events[:n] {
		f.handle(e)
	}
	if f.err == nil && n < len(f.events) && f.o.Poll > 0 {
		if d := min(f.polled+f.o.Poll, until) - Now(); d > 0 {
			rest(min(d, restAtMost))
		}
	}
	return f.err
}

// untilMillis rounds up: waking too early would spin.
func (f *Fleet) untilMillis(until time.Duration) int {
	d := min(until-Now(), wakeEvery)
	return max(0, int(math.Ceil(float64(d)/float64(time.Millisecond))))
}

// wait asks the epoll; only a call that may block is made known to the scheduler.
func (f *Fleet) wait(millis int) int {
	var n int
	var err error
	if millis > 0 {
		n, err = unix.EpollWait(f.epoll, f.events, millis)
	} else {
		n, err = pollEvents(f.epoll, f.events)
	}
	if err != nil && !errors.Is(err, unix.EINTR) {
		f.err = fmt.Errorf("fleet: epoll: %w", err)
	}
	return max(n, 0)
}

func (f *Fleet) handle(e unix.EpollEvent) {
	i := int(e.Fd) // the epoll's data is the connection's place, not its descriptor
	c := &f.conns[i]
	switch c.phase {
	case closed:
	case dialing:
		f.connected(i, c)
	case asleep: // nothing is asked for but its end
		f.ended(c, errReset)
	default:
		if e.Events&unix.EPOLLOUT != 0 {
			f.flush(i, c)
		}
		ends := e.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0
		for more := e.Events&^unix.EPOLLOUT != 0; more && c.phase != closed; {
			more = f.read(i, c, ends)
		}
	}
}

// readable are the events of a connection that is read. The epoll tells of each
// arrival once: told of a state, it would look at every connection twice.
const readable = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET

// fail keeps the first error.
func (f *Fleet) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

func (f *Fleet) slow(i int) bool { return f.o.Slow != nil && f.o.Slow(f.o.First+i) }
