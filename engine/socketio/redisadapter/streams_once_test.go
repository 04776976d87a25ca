package redisadapter

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

// pipe is one writer and one reader of a stream, and what has come of what was pushed.
type pipe struct {
	t      testing.TB
	fleet  *Fleet
	reader *streamReader
	writer *streamWriter

	mu      sync.Mutex
	moved   sync.Cond
	begun   string
	read    []string // data
	ids     []string // of those
	settled []string // data and outcome
	where   []string // their ids
	gaps    []string
}

func (p *pipe) begin(_, at string) { p.note(func() { p.begun = at }) }
func (p *pipe) entry(_ string, e entry) {
	p.note(func() { p.read, p.ids = append(p.read, e.data), append(p.ids, e.id) })
}
func (p *pipe) gap(_, upTo string) { p.note(func() { p.gaps = append(p.gaps, upTo) }) }

func (p *pipe) note(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	p.moved.Broadcast()
}

// until waits for a state.
func (p *pipe) until(what string, is func() bool) {
	p.t.Helper()
	late := false
	timer := time.AfterFunc(30*time.Second, func() { p.note(func() { late = true }) })
	defer timer.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for !is() {
		if late {
			p.t.Fatalf("it never came: %s (read %d, settled %d, gaps %q; %v, %v)", what, len(p.read), len(p.settled), p.gaps, p.reader.ready(), p.writer.ready())
		}
		p.moved.Wait()
	}
}

func newPipe(t testing.TB, url string, o StreamsOptions) *pipe {
	t.Helper()
	batch := 8 // so that there are many
	if _, bench := t.(*testing.B); bench {
		batch = 0
	}
	f, err := New(Options{
		URL: url, Mode: Streams, Streams: o, DeadAfter: 500 * time.Millisecond, Pause: 10 * time.Millisecond,
		Cluster: cluster.Options{Logger: slog.New(slog.DiscardHandler)},
		Outbox:  cluster.OutboxOptions{Batch: batch, Pause: 10 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &pipe{t: t, fleet: f}
	p.moved.L = &p.mu
	p.reader = newStreamReader("s", f, &f.options.Streams, p)
	p.writer = newStreamWriter("s", f, &f.options.Streams, p.reader)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.writer.close(ctx)
		p.reader.close()
		_ = f.Close()
	})
	return p
}

const pipeUID = "0123456789abcdef"

func (p *pipe) push(data string) {
	p.t.Helper()
	m := cluster.Outgoing{To: "/", Kind: 3, Body: []byte(pipeUID + "\x00\x00\x00\x00\x00\x00\x00\x00" + data), Settled: func(id string, err error) {
		p.note(func() {
			if err != nil {
				data += " " + err.Error()
			}
			p.settled, p.where = append(p.settled, data), append(p.where, id)
		})
	}}
	if !p.writer.outbox.Push(m) {
		p.t.Fatal("no room")
	}
}

func numbers(n int) (all []string) {
	for i := range n {
		all = append(all, strconv.Itoa(i))
	}
	return all
}

// exactly waits for n entries, and compares: each once, in order, settled with its id.
func (p *pipe) exactly(n int) {
	p.t.Helper()
	p.until(fmt.Sprint(n, " entries"), func() bool { return len(p.read) >= n && len(p.settled) >= n })
	p.mu.Lock()
	defer p.mu.Unlock()
	if want := numbers(n); !slices.Equal(p.read, want) || !slices.Equal(p.settled, want) {
		p.t.Errorf("read %q, settled %q", p.read, p.settled)
	}
	if !slices.Equal(p.where, p.ids) {
		p.t.Errorf("settled at %q, read at %q", p.where, p.ids)
	}
	if len(p.gaps) > 0 {
		p.t.Errorf("gaps %q", p.gaps)
	}
}

func TestAppendedOnceWhenConnectionsAreCut(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	db.Command("XADD", "s", "*", "nsp", "/", "data", "before")
	way := redistest.NewProxy(t, db.Addr)
	p := newPipe(t, "redis://"+way.Addr, StreamsOptions{BlockTime: 100 * time.Millisecond})
	const n = 600
	for i := range n {
		p.push(strconv.Itoa(i))
		switch i % 60 {
		case 30:
			way.Cut()
		case 59: // what was asked gets there, the answer does not
			p.until("some", func() bool { return len(p.read) > i/2 })
			way.Hold()
			way.Cut()
			way.Forward()
		}
	}
	p.exactly(n)
	if got := db.Command("XLEN", "s"); got != strconv.Itoa(n+1) {
		t.Errorf("%s entries", got)
	}
}

func TestAppendedOnceWhenConnectionsAreKilled(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	p := newPipe(t, db.URL, StreamsOptions{BlockTime: 100 * time.Millisecond})
	const n = 300
	for i := range n {
		p.push(strconv.Itoa(i))
		if i%30 == 29 {
			db.Command("CLIENT", "KILL", "TYPE", "NORMAL")
		}
	}
	p.exactly(n)
}

// A Redis that stands still does what it was sent when it goes on, though nobody waits
// for that any more.
func TestAppendedOnceWhenRedisStandsStill(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for Redis to be given up")
	}
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	p := newPipe(t, db.URL, StreamsOptions{BlockTime: 100 * time.Millisecond})
	n := 0
	push := func(count int) {
		for range count {
			p.push(strconv.Itoa(n))
			n++
		}
	}
	for range 2 {
		push(20)
		p.until("all", func() bool { return len(p.settled) == n && len(p.read) == n })
		db.Stop()
		push(20)
		for p.writer.ready() == nil {
			time.Sleep(5 * time.Millisecond)
		}
		db.Continue()
	}
	p.exactly(n)
}

func TestNothingIsLostWithAnAppendOnlyFile(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{AOF: true})
	p := newPipe(t, db.URL, StreamsOptions{BlockTime: 100 * time.Millisecond})
	n := 0
	for range 3 {
		for range 100 {
			p.push(strconv.Itoa(n))
			n++
		}
		p.until("some", func() bool { return len(p.settled) > n-90 })
		db.Kill()
		db.Start()
	}
	p.exactly(n)
}

// Without a file the stream is lost. That is said, and what was in doubt is given up
// rather than sent twice.
func TestAStreamThatIsLostIsReported(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	p := newPipe(t, db.URL, StreamsOptions{BlockTime: 50 * time.Millisecond})
	for i := range 20 {
		p.push(strconv.Itoa(i))
	}
	p.until("all", func() bool { return len(p.read) == 20 && len(p.settled) == 20 })
	db.Stop()
	p.push("doubt")
	for p.writer.ready() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	db.Kill()
	db.Start()
	p.push("20")
	p.until("one more", func() bool { return len(p.read) == 21 && len(p.settled) == 22 && len(p.gaps) > 0 })
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.settled[20] != "doubt "+ErrUnknown.Error() || p.settled[21] != "20" || p.read[20] != "20" {
		t.Errorf("%q, %q", p.settled[20:], p.read[20:])
	}
	if s := p.reader.report(); s.restarts != 1 || s.gaps != 1 || s.skipped != 0 {
		t.Errorf("%+v", s)
	}
	if n := p.writer.unknown.Load(); n != 1 {
		t.Errorf("%d unknown", n)
	}
}

// Others append more than the stream keeps while this server is away.
func TestEntriesThatWereTrimmedAreCounted(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	way := redistest.NewProxy(t, db.Addr)
	p := newPipe(t, "redis://"+way.Addr, StreamsOptions{BlockTime: 50 * time.Millisecond})
	p.push("0")
	p.until("the first", func() bool { return len(p.read) == 1 && len(p.settled) == 1 })
	for round := range 2 {
		way.Hold()
		way.Cut()
		for i := range 30 {
			db.Command("XADD", "s", "MAXLEN", "10", "*", "uid", "other", "nsp", "/", "type", "3", "data", strconv.Itoa(i))
		}
		way.Forward()
		have := 1 + 10*(round+1)
		p.until("the rest", func() bool { return len(p.read) == have && len(p.gaps) == round+1 })
		if s := p.reader.report(); s.skipped != uint64(20*(round+1)) || s.restarts != 0 {
			t.Errorf("%+v", s)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if want := previousID(p.ids[1]); p.gaps[0] != want {
		t.Errorf("a gap up to %s, want %s", p.gaps[0], want)
	}
}

func TestReadingBeginsWhereTheStreamStands(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	old := db.Command("XADD", "s", "*", "nsp", "/", "data", "old")
	p := newPipe(t, db.URL, StreamsOptions{})
	p.until("a beginning", func() bool { return p.begun != "" })
	if p.begun != old {
		t.Errorf("it begins at %s, not %s", p.begun, old)
	}
	p.push("0")
	p.exactly(1)
}
