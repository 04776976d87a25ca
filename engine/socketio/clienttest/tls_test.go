package clienttest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// selfSigned is a certificate for this machine that nobody trusts.
func selfSigned(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// Every client, over every transport, over TLS: events, acknowledgements both ways,
// binary, big ones, rooms, another namespace.
func TestEveryClientSpeaksOverTLS(t *testing.T) {
	eachWay(t, houseOptions{tls: selfSigned(t)}, func(j *journey) {
		c := j.settled()
		c.Emit("echo", "small", []byte{0, 1, 255}, strings.Repeat("big ", 100_000))
		got := c.Wait("echoed", 1)[0]
		if len(got) != 3 || string(got[0]) != `"small"` || len(got[2]) < 400_000 {
			j.Fatalf("%d arguments: %.200s", len(got), got)
		}
		if ack := c.EmitAck("mirror", 1, "two"); len(ack) != 2 || string(ack[1]) != `"two"` {
			j.Fatalf("%s", ack)
		}
		c.Answer("question", "yes")
		c.Emit("ask", "really?")
		if got := c.Wait("answered", 1)[0]; string(got[0]) != `"yes"` {
			j.Fatalf("%s", got)
		}
		room := j.Name()
		c.EmitAck("join", room)
		other := j.settled()
		other.Emit("toRoom", room, "hello")
		if got := c.Wait("room", 1)[0]; string(got[0]) != `"hello"` {
			j.Fatalf("%s", got)
		}
		c.EmitSequence("seq", 1000)
		var end tally
		if err := json.Unmarshal(c.EmitAck("seqEnd", map[string]any{})[0], &end); err != nil || end.Count != 1000 || !end.InOrder {
			j.Fatalf("%+v, %v", end, err)
		}
		c.Emit("burst", 1000)
		if got := c.Wait("tick", 1000); string(got[999][0]) != "999" {
			j.Fatalf("%s", got[999])
		}
	})
}

// A browser loads the page and the client over https, and connects over wss.
func TestABrowserConnectsOverTLS(t *testing.T) {
	b := clienttest.OpenBrowser(t)
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><link rel=icon href="data:,"><p id=out>...</p><script src="https://cdn.socket.io/4.8.1/socket.io.min.js"></script><script>
const s = io();
const tell = () => s.emit("mirror", "browser", (x) => { out.textContent = location.protocol + " " + s.io.engine.transport.name + " " + x });
s.on("connect", () => { tell(); s.io.engine.on("upgrade", tell) });
s.on("connect_error", (e) => console.error(e.message));
</script>`))
		if r.TLS == nil {
			t.Error("the page's request has no TLS")
		}
	})
	server := socketio.New(socketio.Options{TLS: selfSigned(t), Handler: pages})
	mirrors(server.Of("/"))
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	h := &house{server: server, served: make(chan error, 1)}
	go func() { h.served <- server.Serve(t.Context()) }()
	page := b.Open("https://"+server.Addr().String()+"/", clienttest.PageOptions{})
	page.WaitText("#out", "https: websocket browser")
	if faults := page.Faults(); len(faults) > 0 {
		t.Errorf("%q", faults)
	}
	page.Close()
	h.shut(t)
}
