package tunnel

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Options configure a Tunnel. The zero value of each field means its default.
type Options struct {
	// Tag is what this server is called: 1 to 16 letters and digits, which no other one of
	// the Carrier has. Default: 8 random ones.
	Tag string
	// Chunk is how many bytes of a stream travel in one message; default 32 KiB, at most 60.
	Chunk int
	// MaxStreams is how many streams another server may have open here, and we there;
	// default 16,384.
	MaxStreams int
	// MaxBytes is how many bytes of another server may wait here for the readers of its
	// streams; default 64 MiB. The stream that brings more is reset.
	MaxBytes int
	// MaxPeers is how many other servers there may be; default 1,024.
	MaxPeers int
	// Pulse is how often servers tell each other that they are there; default 1 s.
	Pulse time.Duration
	// Silence is how long one may say nothing before it counts as gone, and its streams
	// with it; default 5 s.
	Silence time.Duration
	// Patience is how long the other server may take to say that it has a new stream;
	// default 2 s.
	Patience time.Duration
	// Logger gets what an operator should know; default slog.Default().
	Logger *slog.Logger
}

// probePulses is how many pulses a stream may be quiet before its ends compare notes: so
// long the loss of what was sent last may stay unseen, and a lost permission to send more.
const probePulses = 5

func (o Options) withDefaults() Options {
	o.Tag = orElse(o.Tag, randomTag())
	o.Chunk = min(orElse(o.Chunk, 32<<10), maxData)
	o.MaxStreams = orElse(o.MaxStreams, 16_384)
	o.MaxBytes = orElse(o.MaxBytes, 64<<20)
	o.MaxPeers = orElse(o.MaxPeers, 1024)
	o.Pulse = orElse(o.Pulse, time.Second)
	o.Silence = orElse(o.Silence, 5*time.Second)
	o.Patience = orElse(o.Patience, 2*time.Second)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

func randomTag() string { return rand.Text()[:8] }

// Tunnel makes streams to other servers, and takes theirs. Its methods are safe for
// concurrent use.
type Tunnel struct {
	options  Options // immutable
	carrier  Carrier // immutable
	self     header  // immutable
	counters counters
	quit     chan struct{} // closed by Close
	beating  sync.WaitGroup
	leave    func() // of the Carrier; written by New

	mu        sync.Mutex
	peers     map[string]*peer // guarded by mu
	listening *Listener        // guarded by mu; nil for nobody
	lastID    uint64           // guarded by mu: of the latest stream opened here
	closed    bool             // guarded by mu
	clashed   bool             // guarded by mu: it was said that somebody else has our tag
}

// New joins the Carrier. Errors: ErrBadTag, and the Carrier's. Close must follow.
func New(carrier Carrier, options Options) (*Tunnel, error) {
	t := &Tunnel{options: options.withDefaults(), carrier: carrier, quit: make(chan struct{}), peers: make(map[string]*peer)}
	if t.self.tag = t.options.Tag; !ValidTag(t.self.tag) {
		return nil, fmt.Errorf("%w: %.40q", ErrBadTag, t.self.tag)
	}
	var birth [8]byte
	_, _ = rand.Read(birth[:]) // never fails (crypto/rand)
	t.self.birth = binary.LittleEndian.Uint64(birth[:])
	leave, err := carrier.Join(t.self.tag, t)
	if err != nil {
		return nil, fmt.Errorf("tunnel: joining the carrier: %w", err)
	}
	t.leave = leave
	_ = t.send(Everybody, &frame{kind: kindHello}) // or at the next pulse
	t.beating.Go(t.beat)
	return t, nil
}

// Tag is what this server is called.
func (t *Tunnel) Tag() string { return t.self.tag }

// Knows reports that there is a server of that tag, other than this one. It does not block.
func (t *Tunnel) Knows(tag string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.peers[tag] != nil
}

// Dial returns a new stream to the server of that tag, which is given meta, up to 256 bytes,
// with it. It does not wait: the other server learns of the stream with what is written
// first, and what is wrong then is an error of Read or Write. Errors: ErrPeerGone, ErrBusy,
// net.ErrClosed after Close, ctx's.
func (t *Tunnel) Dial(ctx context.Context, tag string, meta []byte) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(meta) > maxMeta {
		return nil, fmt.Errorf("tunnel: %d bytes of meta are too many", len(meta))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.peers[tag]
	switch {
	case t.closed:
		return nil, net.ErrClosed
	case p == nil:
		return nil, ErrPeerGone
	case len(p.dialed) >= t.options.MaxStreams:
		return nil, ErrBusy
	}
	return newStream(t, p, true, append([]byte(nil), meta...)), nil
}

// send sends one frame in a message of its own.
func (t *Tunnel) send(to string, f *frame) error {
	b := make([]byte, 0, 2+maxTag+8+32+len(f.meta)+len(f.data))
	return t.sendBytes(to, f.append(t.self.append(b)))
}

func (t *Tunnel) sendBytes(to string, b []byte) error {
	if err := t.carrier.Send(to, b); err != nil {
		t.counters.sendErrors.Add(1)
		return fmt.Errorf("%w: %w", ErrSend, err)
	}
	t.counters.messagesOut.Add(1)
	return nil
}

// Close says goodbye to the other servers, resets every stream and leaves the Carrier.
func (t *Tunnel) Close() error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil
	}
	t.closed = true
	peers, l := t.peers, t.listening
	t.peers, t.listening = make(map[string]*peer), nil
	t.mu.Unlock()
	close(t.quit)
	t.beating.Wait()
	if l != nil {
		l.end()
	}
	_ = t.send(Everybody, &frame{kind: kindBye}) // or they notice the silence
	for _, p := range peers {
		p.fail(net.ErrClosed)
	}
	t.leave()
	return nil
}
