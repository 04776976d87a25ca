package tunnel_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel/tunneltest"
)

// read returns what Read says within a minute.
func read(nc net.Conn) (string, error) {
	_ = nc.SetReadDeadline(time.Now().Add(time.Minute))
	b := make([]byte, 100)
	n, err := nc.Read(b)
	return string(b[:n]), err
}

func TestAServerThatFallsSilentIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := new(tunneltest.Bus)
		a, b := pair(t, bus)
		nc, _ := connect(t, a, b)
		began := time.Now()
		bus.Kill("b", false)
		if _, err := read(nc); !errors.Is(err, tunnel.ErrPeerGone) {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 4*time.Second || took > 7*time.Second {
			t.Errorf("after %v", took)
		}
		if a.Knows("b") {
			t.Error("is known still")
		}
	})
}

func TestABrokerMaySayThatAServerIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := new(tunneltest.Bus)
		a, b := pair(t, bus)
		nc, _ := connect(t, a, b)
		began := time.Now()
		bus.Kill("b", true)
		if _, err := read(nc); !errors.Is(err, tunnel.ErrPeerGone) {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("after %v", took)
		}
	})
}

func TestAServerSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, new(tunneltest.Bus))
		nc, peer := connect(t, a, b)
		began := time.Now()
		_ = b.Close()
		if _, err := read(nc); !errors.Is(err, tunnel.ErrPeerGone) {
			t.Fatal(err)
		}
		if _, err := read(peer); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
		if _, err := b.listener.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("after %v", took)
		}
	})
}

func TestANewStreamToWhoDiedJustNowDoesNotWaitForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := new(tunneltest.Bus)
		a, _ := pair(t, bus)
		time.Sleep(1500 * time.Millisecond)
		bus.Kill("b", false)
		nc := a.dial("b", "", "hello")
		began := time.Now()
		if _, err := read(nc); !errors.Is(err, tunnel.ErrPeerGone) && !errors.Is(err, tunnel.ErrNoAnswer) {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("after %v", took)
		}
	})
}

func TestABrokerThatIsAwayEndsStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := new(tunneltest.Bus)
		a, b := pair(t, bus)
		nc, peer := connect(t, a, b)
		bus.Cut(true)
		if _, err := nc.Write([]byte("x")); !errors.Is(err, tunnel.ErrSend) || !errors.Is(err, tunneltest.ErrAway) {
			t.Fatal(err)
		}
		if _, err := read(peer); !errors.Is(err, tunnel.ErrPeerGone) {
			t.Fatal(err)
		}
		bus.Cut(false)
		time.Sleep(2 * time.Second)
		connect(t, a, b)
	})
}

func TestAServerThatWasBornAnewIsAnotherOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := new(tunneltest.Bus)
		a, b := pair(t, bus)
		nc, _ := connect(t, a, b)
		bus.Kill("b", false)
		again := join(t, bus, "b")
		if _, err := read(nc); !errors.Is(err, tunnel.ErrPeerGone) {
			t.Fatal(err)
		}
		connect(t, a, again)
		connect(t, again, a)
	})
}

func TestTwoServersWithOneTagAreNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := new(tunneltest.Bus)
		a, b := pair(t, bus)
		other := join(t, bus, "a") // takes what is for a from now on
		time.Sleep(3 * time.Second)
		if other.Stats().Clashes == 0 {
			t.Error("not noticed")
		}
		_, _ = a, b
	})
}

// The loss of the last part shows when the two ends compare notes.
func TestALostEndIsNoticed(t *testing.T) {
	for name, lose := range map[string]func(nc net.Conn){
		"of data":   func(nc net.Conn) { _, _ = nc.Write([]byte("last")) },
		"of an end": func(nc net.Conn) { _ = nc.(*tunnel.Stream).CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus := new(tunneltest.Bus)
				a, b := pair(t, bus)
				nc, peer := connect(t, a, b)
				bus.Deafen("b", true)
				lose(nc)
				bus.Deafen("b", false)
				switch _, err := read(peer); {
				case name == "of data" && !errors.Is(err, tunnel.ErrLost):
					t.Error(err)
				case name != "of data" && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, io.EOF):
					t.Error(err)
				case name != "of data" && !errors.Is(err, io.EOF):
					t.Error("the end of a stream was lost for good")
				}
			})
		})
	}
}

// A permission to send more that was lost is given again.
func TestALostWindowIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := new(tunneltest.Bus)
		a, b := pair(t, bus)
		nc, peer := connect(t, a, b)
		if _, err := nc.Write(make([]byte, 50_000)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		bus.Deafen("a", true)
		if _, err := io.ReadFull(peer, make([]byte, 50_000)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		bus.Deafen("a", false)
		_ = nc.SetWriteDeadline(time.Now().Add(20 * time.Second))
		if _, err := nc.Write(make([]byte, 50_000)); err != nil {
			t.Fatal(err)
		}
	})
}

// Streams that one end has forgotten do not stay at the other for ever.
func TestAStreamThatOneEndHasForgottenEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := new(tunneltest.Bus)
		a, b := pair(t, bus)
		nc, peer := connect(t, a, b)
		bus.Deafen("b", true)
		peer.Refuse(tunnel.ErrReset) // b knows it no more
		_ = nc.Close()
		bus.Deafen("b", false)
		time.Sleep(20 * time.Second)
		if n := a.Stats().Streams + b.Stats().Streams; n != 0 {
			t.Errorf("%d are left", n)
		}
	})
}

// A request that came a second time must not be made a second time.
func TestAnOpeningThatComesAgainOpensNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent [][]byte
		bus := &tunneltest.Bus{Fault: func(to string, b []byte) int {
			if to == "b" {
				sent = append(sent, b)
			}
			return 1
		}}
		a, b := pair(t, bus)
		nc, peer := connect(t, a, b)
		_ = nc.Close()
		_ = peer.Close()
		synctest.Wait()
		for _, m := range sent {
			_ = bus.Send("b", m)
		}
		synctest.Wait()
		if s := b.Stats(); s.Accepted != 1 || s.Streams != 0 {
			t.Errorf("%+v", s)
		}
		connect(t, a, b)
	})
}
