package fleet

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/fanfare-go/fanfare/ws"
	"golang.org/x/sys/unix"
)

const testPayload = 32

// pair is a fleet with one connection that has joined, and the server's end of it.
func pair(tb testing.TB, d string) (*Fleet, int) {
	tb.Helper()
	f, err := New(Options{Dialect: d, N: 1, Payload: testPayload, Hears: Broadcasts, Poll: time.Nanosecond})
	if err != nil {
		tb.Fatal(err)
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		tb.Fatal(err)
	}
	f.conns[0] = conn{fd: int32(fds[0]), phase: ready}
	f.Joined = 1
	if err := unix.EpollCtl(f.epoll, unix.EPOLL_CTL_ADD, fds[0], &unix.EpollEvent{Events: readable}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := f.Release(); err != nil {
			tb.Error(err)
		}
		_ = unix.Close(fds[1])
	})
	return f, fds[1]
}

// feed writes pieces and lets the fleet read after each.
func feed(tb testing.TB, f *Fleet, fd int, pieces ...[]byte) {
	tb.Helper()
	for _, p := range pieces {
		if len(p) == 0 {
			continue
		}
		if n, err := unix.Write(fd, p); n != len(p) {
			tb.Fatal(n, err)
		}
		if err := f.Turn(Now()); err != nil {
			tb.Fatal(err)
		}
	}
}

// stream is server frames with the numbers 0 to n-1, a heartbeat and a ping among
// them.
func stream(n uint32) (b []byte) {
	texts := newTexts(testPayload)
	for i := range n {
		b = ws.AppendFrame(b, ws.OpText, fmt.Appendf(nil, `42["reply","%s"]`, texts.append(nil, i, 0)))
		b = ws.AppendFrame(b, ws.OpText, []byte("2"))
		b = ws.AppendFrame(b, ws.OpPing, []byte("hi"))
	}
	return b
}

const answers = "\x81\x81\x00\x00\x00\x003" + "\x8a\x82\x00\x00\x00\x00hi"

func checkStream(tb testing.TB, f *Fleet, fd int, n uint64) {
	tb.Helper()
	if got := f.Tally.Counts; got != (Counts{Delivered: n}) || f.Lost(uint32(n)) != 0 {
		tb.Fatalf("%+v", got)
	}
	if f.conns[0].carry != nil {
		tb.Fatal("a buffer is kept although no frame is in parts")
	}
	var b [1 << 12]byte
	got, _ := unix.Read(fd, b[:])
	if want := strings.Repeat(answers, int(n)); string(b[:max(got, 0)]) != want {
		tb.Fatalf("answered %q, want %q", b[:max(got, 0)], want)
	}
}

func TestFramesMayBeSplitAnywhere(t *testing.T) {
	b := stream(2)
	for i := range b {
		for j := i; j < len(b); j += 7 {
			f, fd := pair(t, "socketio")
			feed(t, f, fd, b[:i], b[i:j], b[j:])
			checkStream(t, f, fd, 2)
		}
	}
	f, fd := pair(t, "socketio")
	for i := range b {
		feed(t, f, fd, b[i:i+1])
	}
	checkStream(t, f, fd, 2)
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte{1, 2, 3})
	f.Add([]byte{0, 255, 0, 40})
	f.Fuzz(func(t *testing.T, sizes []byte) {
		fleet, fd := pair(t, "socketio")
		b := stream(3)
		for _, size := range sizes {
			n := min(int(size), len(b))
			feed(t, fleet, fd, b[:n])
			b = b[n:]
		}
		feed(t, fleet, fd, b)
		checkStream(t, fleet, fd, 3)
	})
}

func TestAFrameLargerThanTheBufferIsRead(t *testing.T) {
	f, fd := pair(t, "socketio")
	f.in = make([]byte, 64)
	big := ws.AppendFrame(nil, ws.OpText, []byte(`42["news","`+strings.Repeat("y", 5000)+`"]`))
	feed(t, f, fd, append(big, stream(1)...))
	for range 100 {
		if err := f.Turn(Now()); err != nil {
			t.Fatal(err)
		}
	}
	checkStream(t, f, fd, 1)
}

func TestServersThatBreakTheProtocolEndTheRun(t *testing.T) {
	for name, b := range map[string]string{
		"masked":         "\x81\x81\x00\x00\x00\x002",
		"fragmented":     "\x01\x012",
		"reserved bit":   "\xc1\x012",
		"a text changed": string(ws.AppendFrame(nil, ws.OpText, []byte(`42["reply","something"]`))),
	} {
		f, fd := pair(t, "socketio")
		if _, err := unix.Write(fd, []byte(b)); err != nil {
			t.Fatal(err)
		}
		if err := f.Turn(Now()); err == nil || !strings.HasPrefix(err.Error(), "loadgen: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAClosedConnectionIsCountedWithItsReason(t *testing.T) {
	for reason, b := range map[string][]byte{
		"EOF":                   nil,
		`close frame 1001 "so"`: ws.AppendClose(nil, 1001, "so"),
		`disconnected by "41"`:  ws.AppendFrame(nil, ws.OpText, []byte("41")),
	} {
		f, fd := pair(t, "socketio")
		if len(b) > 0 {
			feed(t, f, fd, b)
		} else if err := unix.Shutdown(fd, unix.SHUT_WR); err != nil {
			t.Fatal(err)
		}
		if err := f.Turn(Now()); err != nil {
			t.Fatal(err)
		}
		if f.Tally.Closed != 1 || f.Tally.Reason != reason || f.Joined != 0 || f.Lost(2) != 2 {
			t.Errorf("%d closed with %q, want %q", f.Tally.Closed, f.Tally.Reason, reason)
		}
	}
}

func TestWhatTheKernelHasNoRoomForIsSentLater(t *testing.T) {
	f, fd := pair(t, "socketio")
	const messages, batch = 4000, 100
	for i := range uint32(messages / batch) {
		f.Broadcast(0, i*batch, batch, 0)
	}
	if len(f.unsent) == 0 {
		t.Fatal("the kernel had room for everything; the test tests nothing")
	}
	var got []byte
	b := make([]byte, 64<<10)
	for len(f.unsent) > 0 || len(got)%len(wantMessage(0)) != 0 || len(got) < messages*len(wantMessage(0)) {
		n, err := unix.Read(fd, b)
		if err != nil && err != unix.EAGAIN {
			t.Fatal(err)
		}
		got = append(got, b[:max(n, 0)]...)
		if err := f.Turn(Now()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range uint32(messages) {
		want := wantMessage(i)
		if string(got[:len(want)]) != want {
			t.Fatalf("message %d: %q", i, got[:len(want)])
		}
		got = got[len(want):]
	}
}

func wantMessage(i uint32) string {
	text := newTexts(testPayload).append(nil, i, 0)
	return string(appendMasked(nil, ws.OpText, socketIO{}.appendBroadcast(nil, i, text)))
}

func TestConnectionsAreSmall(t *testing.T) {
	if size := unsafe.Sizeof(conn{}); size > 64 {
		t.Errorf("%d bytes", size)
	}
}

func TestADeliveryAllocatesNothing(t *testing.T) {
	f, fd := pair(t, "socketio")
	texts, number := newTexts(testPayload), uint32(0)
	var b, message []byte
	if n := testing.AllocsPerRun(100, func() {
		message = append(texts.append(append(message[:0], replyHead...), number, 0), textTail...)
		b = ws.AppendFrame(b[:0], ws.OpText, message)
		number++
		half := len(b) / 2
		feed(t, f, fd, b[:half], b[half:])
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if f.Tally.Delivered != uint64(number) {
		t.Fatal(f.Tally.Counts)
	}
}

// BenchmarkDelivery reads one text from one connection: what a delivery costs the
// client beside the server's send, the write of it included.
func BenchmarkDelivery(b *testing.B) {
	f, fd := pair(b, "socketio")
	texts, number := newTexts(testPayload), uint32(0)
	var frame, message []byte
	b.ReportAllocs()
	for b.Loop() {
		message = append(texts.append(append(message[:0], replyHead...), number, 0), textTail...)
		frame = ws.AppendFrame(frame[:0], ws.OpText, message)
		number++
		feed(b, f, fd, frame)
	}
}

// BenchmarkParse is the part of a delivery that is not the kernel's.
func BenchmarkParse(b *testing.B) {
	f, _ := pair(b, "socketio")
	texts, number := newTexts(testPayload), uint32(0)
	var frame, message []byte
	b.ReportAllocs()
	for b.Loop() {
		message = append(texts.append(append(message[:0], replyHead...), number, 0), textTail...)
		frame = ws.AppendFrame(frame[:0], ws.OpText, message)
		number++
		f.take(0, &f.conns[0], frame)
	}
}
