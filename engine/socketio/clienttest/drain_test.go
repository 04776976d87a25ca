package clienttest_test

import (
	"context"
	"crypto/rand"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// pair is two servers behind a load balancer, which gives new clients to the first one that
// is not being drained, and every other request to the server of its session.
type pair struct {
	servers [2]*socketio.Server
	targets [2]*url.URL
	blind   atomic.Bool // it does not know of the drain: new clients go to the first server at first
	turns   atomic.Int64
	url     string
}

func openPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{}
	var number atomic.Int64
	for i, prefix := range []string{"a", "b"} {
		server := socketio.New(socketio.Options{
			AllowEIO3: true,
			Logger:    slog.New(slog.DiscardHandler),
			GenerateID: func(*http.Request) (string, error) {
				return prefix + strconv.FormatInt(number.Add(1), 10) + rand.Text(), nil
			},
		})
		if err := server.Listen("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if err := server.Shutdown(ctx); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		})
		p.servers[i], p.targets[i] = server, &url.URL{Scheme: "http", Host: server.Addr().String()}
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(p.targets[p.pick(r.In)]) },
		ErrorLog: log.New(io.Discard, "", 0),
	}
	front := httptest.NewServer(proxy)
	t.Cleanup(func() { front.CloseClientConnections(); front.Close() }) // polls are held as long as their clients wait
	p.url = front.URL
	return p
}

func (p *pair) pick(r *http.Request) int {
	switch sid := r.URL.Query().Get("sid"); {
	case strings.HasPrefix(sid, "a"):
		return 0
	case sid != "":
		return 1
	case p.blind.Load():
		return int(p.turns.Add(1)) % 2
	case p.servers[0].Stats().Engine.Emptying:
		return 1
	}
	return 0
}

// Nobody has to do anything: the clients of a server that is drained are with the next one
// afterwards, and have got all that the first one sent them.
func TestClientsOfADrainedServerMoveToTheNext(t *testing.T) {
	driver := clienttest.Start(t)
	for _, version := range []string{clienttest.V48, clienttest.V25} {
		for _, transport := range transports {
			t.Run(version+"/"+transport.name, func(t *testing.T) {
				const clients, over = 20, time.Second
				p := openPair(t)
				all := driver.ConnectMany(t, clients, clienttest.ClientOptions{
					URL: p.url, Version: version, Transports: transport.names, Reconnect: true,
				})
				if transport.name == "upgrade" {
					all.WaitUpgrade()
				}
				if err := p.servers[0].Emit("last word", 1); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				defer cancel()
				if err := p.servers[0].Drain(ctx, socketio.DrainOptions{Over: over}); err != nil {
					t.Errorf("Drain: %v", err)
				}
				if took := time.Since(began); took < over {
					t.Errorf("it took %v", took)
				}
				for i := range all.Len() {
					c := all.At(i)
					c.WaitReconnect()
					if n := c.Count("last word"); n != 1 {
						t.Errorf("client %d has %d last words", i, n)
					}
				}
				if n := p.servers[1].SocketCount(); n != clients {
					t.Errorf("%d of %d clients are with the second server", n, clients)
				}
				if n := p.servers[0].SocketCount(); n != 0 {
					t.Errorf("%d are with the first", n)
				}
			})
		}
	}
}

// A balancer that goes on sending clients to a server that is being drained makes them
// try again, until they meet the other one.
func TestClientsTurnedAwayTryAgain(t *testing.T) {
	driver := clienttest.Start(t)
	p := openPair(t)
	first := driver.Connect(t, clienttest.ClientOptions{URL: p.url, Transports: clienttest.WebSocket, Reconnect: true})
	p.blind.Store(true)
	ctx, cancel := context.WithCancel(context.Background())
	drained := make(chan error, 1)
	go func() { drained <- p.servers[0].Drain(ctx, socketio.DrainOptions{Over: time.Hour}) }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !p.servers[0].Stats().Engine.Emptying {
		<-tick.C
	}
	if p.turns.Load()%2 == 0 {
		p.turns.Add(1) // the next goes to the first server
	}
	first.CloseTransport()
	first.WaitReconnect()
	if n := p.servers[0].Stats().Engine.TurnedAway; n == 0 {
		t.Error("it was not turned away")
	}
	if n := p.servers[1].SocketCount(); n != 1 {
		t.Errorf("%d are with the second server", n)
	}
	cancel()
	<-drained
}
