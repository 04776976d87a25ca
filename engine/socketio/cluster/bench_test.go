package cluster_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// encoder is a Link that encodes what it is given, into the same bytes again.
type encoder struct {
	msgpack bool
	text    []byte
	wire    []byte
	outbox  *cluster.Outbox // nil for none
}

func (e *encoder) Publish(m *cluster.Message) error {
	e.text = cluster.AppendJSON(e.text[:0], m, "/")
	out := e.text
	if e.msgpack {
		var err error
		if e.wire, err = parser.AppendMsgpack(e.wire[:0], e.text, m.Packet.Attachments); err != nil {
			return err
		}
		out = e.wire
	}
	if e.outbox != nil {
		e.outbox.Push(cluster.Outgoing{To: "x", Body: append([]byte(nil), out...), Volatile: m.Opts.Flags.Volatile})
	}
	return nil
}

func (e *encoder) Answer(string, *cluster.Message) error         { return nil }
func (e *encoder) Others(context.Context) (int, []string, error) { return 0, nil, nil }
func (e *encoder) Close() error                                  { return nil }
func (e *encoder) adapter(tb testing.TB) func(*socketio.MemoryAdapter) socketio.Adapter {
	return func(m *socketio.MemoryAdapter) socketio.Adapter {
		a, err := cluster.New(m, cluster.NewUID(), cluster.Options{}, func(*cluster.Adapter) (cluster.Link, error) { return e, nil })
		if err != nil {
			tb.Fatal(err)
		}
		return a
	}
}

// crowd counts what its members receive.
type crowd struct{ got atomic.Int64 }

func (c *crowd) Text([]byte)          { c.got.Add(1) }
func (c *crowd) Binary([]byte)        {}
func (c *crowd) Closed(engine.Reason) {}

// wait returns when so many texts have come.
func (c *crowd) wait(n int64) {
	for c.got.Load() < n {
		time.Sleep(10 * time.Microsecond)
	}
}

// seat starts a server with members that are nothing but a counter: what a delivery
// costs at least, without a network.
func seat(tb testing.TB, adapter func(*socketio.MemoryAdapter) socketio.Adapter, members int) (*socketio.Server, *crowd) {
	tb.Helper()
	io := socketio.New(socketio.Options{Adapter: adapter, PingInterval: time.Hour})
	if err := io.StartInner(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = io.Shutdown(context.Background()) })
	c := new(crowd)
	for range members {
		r := &http.Request{Method: http.MethodGet, Host: "x", RequestURI: "/socket.io/?EIO=4&transport=websocket"}
		k, err := io.OpenInner(r, socketio.Peer{}, c)
		if err != nil {
			tb.Fatal(err)
		}
		k.Text([]byte("0"))
	}
	c.wait(int64(members))
	c.got.Store(0)
	return io, c
}

// cpu is what the process has used: what others do on the machine does not count.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// What telling other servers adds to a broadcast that is delivered here.
func BenchmarkPublish(b *testing.B) {
	text := strings.Repeat("x", 110)
	box := cluster.NewOutbox(cluster.OutboxOptions{}, func(_ context.Context, batch []cluster.Outgoing) (int, error) { return len(batch), nil })
	defer func() { _ = box.Close(context.Background()) }()
	for _, members := range []int{1, 100, 1000} {
		for _, way := range []struct {
			name    string
			adapter func(*socketio.MemoryAdapter) socketio.Adapter
		}{
			{"alone", nil},
			{"json", (&encoder{}).adapter(b)},
			{"msgpack", (&encoder{msgpack: true}).adapter(b)},
			{"queued", (&encoder{outbox: box}).adapter(b)},
		} {
			b.Run(fmt.Sprintf("%d members/%s", members, way.name), func(b *testing.B) {
				io, c := seat(b, way.adapter, members)
				to := io.To()
				sent, before := int64(0), cpu()
				b.ReportAllocs()
				for b.Loop() {
					if err := to.Emit("reply", text); err != nil {
						b.Fatal(err)
					}
					if sent += int64(members); sent-c.got.Load() > 100*int64(members) {
						c.wait(sent - 50*int64(members))
					}
				}
				c.wait(sent)
				b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// What a message of another server costs before the loops take over.
func BenchmarkReceive(b *testing.B) {
	m := &cluster.Message{
		Type: cluster.Broadcast, UID: "0123456789abcdef", Opts: cluster.Opts{Rooms: []string{"room1"}},
		Packet: cluster.Packet{JSON: []byte(`["news","` + strings.Repeat("x", 110) + `"]`)},
	}
	text := cluster.AppendJSON(nil, m, "/")
	wire, _ := parser.AppendMsgpack(nil, text, nil)
	b.Run("json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := cluster.ParseJSON(text, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("msgpack", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			text, attachments, err := parser.DecodeMsgpack(wire, cluster.Limits())
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := cluster.ParseJSON(text, attachments); err != nil {
				b.Fatal(err)
			}
		}
	})
}
