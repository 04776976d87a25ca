package engine_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// recorded is the client's connection: what it writes is kept once the handshake is
// over, and it reads what it is given.
type recorded struct {
	net.Conn
	keeping bool
	written []byte
	given   bytes.Buffer
}

func (r *recorded) Write(b []byte) (int, error) {
	if r.keeping {
		r.written = append(r.written, b...)
		return len(b), nil
	}
	return r.Conn.Write(b)
}

func (r *recorded) Read(b []byte) (int, error) {
	if r.keeping {
		return r.given.Read(b)
	}
	return r.Conn.Read(b)
}

// take returns what was written since the last time.
func (r *recorded) take() []byte {
	b := r.written
	r.written = nil
	return b
}

// tlsPair is a client and what a loop would have of it.
func tlsPair(t testing.TB, version uint16) (*tls.Conn, *recorded, *engine.TLSPipe) {
	t.Helper()
	a, b := net.Pipe()
	wire := &recorded{Conn: a}
	config := clientTLS()
	config.MinVersion, config.MaxVersion = version, version
	client := tls.Client(wire, config)
	shaken := make(chan error, 1)
	go func() {
		err := client.Handshake()
		if err == nil && version == tls.VersionTLS13 {
			_, err = client.Write([]byte("!")) // the server's last message is a ticket: somebody has to read it
		}
		shaken <- err
	}()
	config = serverTLS(t)
	config.SessionTicketsDisabled = true
	pipe, err := engine.NewTLSPipe(b, config)
	if err != nil {
		t.Fatal(err)
	}
	if version == tls.VersionTLS13 {
		buf := make([]byte, 1024)
		n, err := b.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := pipe.Feed(buf[:n]); err != nil || string(plain) != "!" {
			t.Fatalf("%q, %v", plain, err)
		}
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	wire.keeping = true
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return client, wire, pipe
}

// The loop leans on crypto/tls taking a temporary error of what it reads from for
// what it is, and going on with half a record. Every split of the wire gives the same
// plaintext, and what is sent in between arrives as it should.
func TestRecordsMayBeSplitAtEveryByte(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			client, wire, _ := tlsPair(t, version)
			write := func(messages ...string) []byte {
				for _, m := range messages {
					if _, err := client.Write([]byte(m)); err != nil {
						t.Fatal(err)
					}
				}
				return wire.take()
			}
			messages := []string{"a", "bc", string(bytes.Repeat([]byte("d"), 300))}
			const want = 1 + 2 + 300
			n := len(write(messages...))
			if n < want {
				t.Fatalf("%d bytes", n)
			}
			var pipe *engine.TLSPipe
			client, wire, pipe = tlsPair(t, version)
			for i := range n + 1 {
				b := write(messages...)
				first, err := pipe.Feed(b[:i])
				if err != nil {
					t.Fatalf("split at %d: %v", i, err)
				}
				answer := fmt.Sprint("answer ", i)
				sealed, err := pipe.Seal([]byte(answer)) // in the middle of a record
				if err != nil {
					t.Fatal(err)
				}
				second, err := pipe.Feed(b[i:])
				if got := string(first) + string(second); err != nil || got != messages[0]+messages[1]+messages[2] {
					t.Fatalf("split at %d: %q, %v", i, got, err)
				}
				wire.given.Write(sealed)
				buf := make([]byte, 100)
				if k, err := client.Read(buf); err != nil || string(buf[:k]) != answer {
					t.Fatalf("split at %d: %q, %v", i, buf[:k], err)
				}
			}
		})
	}
}

// The same with many records, large ones among them, in parts of any size.
func TestRecordsMayComeInAnyParts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client, wire, pipe := tlsPair(t, version)
		for range 50 {
			var want []byte
			for range 1 + rng.IntN(4) {
				m := make([]byte, 1+rng.IntN(40_000))
				m[0] = byte(rng.Uint32())
				want = append(want, m...)
				if _, err := client.Write(m); err != nil {
					t.Fatal(err)
				}
			}
			var got []byte
			for b := wire.take(); len(b) > 0; {
				n := min(len(b), 1+rng.IntN(1+len(b)/3))
				plain, err := pipe.Feed(b[:n])
				if err != nil {
					t.Fatal(err)
				}
				got, b = append(got, plain...), b[n:]
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("%d bytes of %d", len(got), len(want))
			}
		}
	}
}

// The loop's verdict on a first record does not change with what follows, and is not
// given too early.
func FuzzFirstRecord(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x02ab"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte("DELETE /x"))
	f.Add([]byte("\x80\x2e\x01"))
	f.Add([]byte("\x16\x03\x01\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for i := range min(len(b), 64) {
			whole, err := engine.FirstRecord(b[:i])
			if !whole && err == nil {
				continue
			}
			if w, e := engine.FirstRecord(b); w != whole || e != err {
				t.Fatalf("%q: %v, %v; %q: %v, %v", b[:i], whole, err, b, w, e)
			}
		}
		whole, err := engine.FirstRecord(b)
		if whole && (len(b) < 5 || b[0] != 0x16 || err != nil) || err == engine.ErrPlainHTTP && b[0] < 'A' {
			t.Fatalf("%q: %v, %v", b, whole, err)
		}
	})
}
