package webtransport_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
	fanfare "github.com/fanfare-go/fanfare/engine/webtransport"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"
)

const patience = 20 * time.Second

// house is a server over HTTP/3 and, for polling, over HTTP.
type house struct {
	*socketio.Server
	t       *testing.T
	url     string // over HTTP/3
	page    string // over HTTP
	hash    [32]byte
	config  *tls.Config // of clients
	ends    chan socketio.Reason
	joined  chan *socketio.Socket
	clients []*quic.Conn
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, ends: make(chan socketio.Reason, 100), joined: make(chan *socketio.Socket, 100)}
	h.Server = socketio.New(socketio.Options{
		Transports: []socketio.Transport{socketio.Polling, socketio.WebSocket, socketio.WebTransport},
		CORS:       socketio.CORS{Origins: []string{"*"}}, Logger: slog.New(slog.DiscardHandler), MaxHTTPBufferSize: 200_000,
	})
	h.OnConnect(func(_ context.Context, s *socketio.Socket) error { s.Handshake(); h.joined <- s; return nil })
	h.OnDisconnect(func(_ context.Context, _ *socketio.Socket, r socketio.Reason) { h.ends <- r })
	socketio.OnAck(h.Server, "echo", func(_ context.Context, _ *socketio.Socket, a socketio.Args) (socketio.Args, error) { return a, nil })

	cert := certificate(t)
	h.hash = sha256.Sum256(cert.Certificate[0])
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	h.config = &tls.Config{RootCAs: roots, NextProtos: []string{http3.NextProtoH3}}
	wt := &webtransport.Server{
		H3:          &http3.Server{TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{cert}})},
		CheckOrigin: func(*http.Request) bool { return true },
	}
	wt.H3.Handler = fanfare.Handler(h.Server, wt)
	webtransport.ConfigureHTTP3Server(wt.H3)
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = wt.Serve(udp) }()
	h.url = "https://" + udp.LocalAddr().String() + "/socket.io/?EIO=4&transport=webtransport"

	mux := http.NewServeMux()
	mux.Handle("/socket.io/", h.Server)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<script src="https://cdn.socket.io/4.8.0/socket.io.js"></script>`)
	})
	pages := httptest.NewServer(mux)
	h.page = pages.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		for _, c := range h.clients {
			_ = c.CloseWithError(0, "")
		}
		_ = wt.Close()
		_ = udp.Close()
		<-served
		http.DefaultClient.CloseIdleConnections()
		pages.Close()
		if n := h.Stats().Engine.Connections; n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
	return h
}

// certificate is one that a browser takes by its hash: ECDSA, for 14 days at most.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(10 * 24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// client speaks fact 59's bytes.
type client struct {
	t      *testing.T
	stream *webtransport.Stream
	br     *bufio.Reader
}

func (h *house) dial(t *testing.T) *client {
	t.Helper()
	d := &webtransport.Dialer{TLSClientConfig: h.config, QUICConfig: &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true}}
	d.DialAddr = func(ctx context.Context, addr string, t *tls.Config, c *quic.Config) (*quic.Conn, error) {
		conn, err := quic.DialAddrEarly(ctx, addr, t, c)
		if err == nil {
			h.clients = append(h.clients, conn) // a Dialer does not close them
		}
		return conn, err
	}
	_, s, err := d.Dial(t.Context(), h.url, http.Header{"X-Who": {"me"}})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := s.OpenStreamSync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = stream.SetReadDeadline(time.Now().Add(patience))
	return &client{t, stream, bufio.NewReader(stream)}
}

func (c *client) raw(bytes string) {
	c.t.Helper()
	if _, err := io.WriteString(c.stream, bytes); err != nil {
		c.t.Fatal(err)
	}
}

// packet is one as it stands on the wire.
func packet(binaryBit byte, s string) string {
	switch n := len(s); {
	case n < 126:
		return string([]byte{binaryBit | byte(n)}) + s
	case n < 65536:
		return string(binary.BigEndian.AppendUint16([]byte{binaryBit | 126}, uint16(n))) + s
	default:
		return string(binary.BigEndian.AppendUint64([]byte{binaryBit | 127}, uint64(n))) + s
	}
}

func (c *client) send(s string) { c.t.Helper(); c.raw(packet(0, s)) }

// read returns the next packet, binary ones with a mark in front.
func (c *client) read() (string, error) {
	b, err := c.br.ReadByte()
	if err != nil {
		return "", err
	}
	n := uint64(b & 0x7f)
	switch n {
	case 126:
		var l [2]byte
		_, err = io.ReadFull(c.br, l[:])
		n = uint64(binary.BigEndian.Uint16(l[:]))
	case 127:
		var l [8]byte
		_, err = io.ReadFull(c.br, l[:])
		n = binary.BigEndian.Uint64(l[:])
	}
	if err != nil {
		return "", err
	}
	s := make([]byte, n)
	if _, err := io.ReadFull(c.br, s); err != nil {
		return "", err
	}
	if b&0x80 != 0 {
		return "binary:" + string(s), nil
	}
	return string(s), nil
}

func (c *client) expect(want string) {
	c.t.Helper()
	if got, err := c.read(); got != want || err != nil {
		c.t.Fatalf("got %.100q (%v), want %.100q", got, err, want)
	}
}

// opened reads the open packet and joins the default namespace.
func (c *client) opened() {
	c.t.Helper()
	got, err := c.read()
	if err != nil || !strings.HasPrefix(got, `0{"sid":"`) || !strings.Contains(got, `"upgrades":[]`) {
		c.t.Fatalf("open packet %q (%v)", got, err)
	}
	c.join()
}

func (c *client) join() {
	c.t.Helper()
	c.send("40")
	if got, err := c.read(); err != nil || !strings.HasPrefix(got, `40{"sid":"`) {
		c.t.Fatalf("answer to CONNECT: %q (%v)", got, err)
	}
}

// ends requires that the server closes the stream.
func (c *client) ends() {
	c.t.Helper()
	for {
		if s, err := c.read(); err != nil {
			return
		} else if s != "2" {
			c.t.Errorf("%.100q instead of the end", s)
		}
	}
}

func receive[T any](t *testing.T, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return v
}

func TestFact59PacketsOnAStream(t *testing.T) {
	h := open(t)
	c := h.dial(t)
	c.send("0")
	c.opened()
	s := receive(t, h.joined)
	if s.Transport() != socketio.WebTransport || h.Stats().Engine.WebTransport != 1 {
		t.Errorf("transport %v, %d of them", s.Transport(), h.Stats().Engine.WebTransport)
	}
	if k := s.Handshake(); !k.Secure || k.Address != "127.0.0.1" || k.Headers.Get("X-Who") != "me" || k.Query.Get("transport") != "webtransport" {
		t.Errorf("handshake %+v", k)
	}
	c.send(`421["echo","short"]`)
	c.expect(`431["short"]`)
	for i, n := range []int{100, 126, 127, 65535, 65536, 199_000} { // every form of the header
		pad := strings.Repeat("x", n)
		c.send(fmt.Sprintf(`42%d["echo",%q]`, i, pad))
		c.expect(fmt.Sprintf(`43%d[%q]`, i, pad))
	}
	c.raw(packet(0, `451-7["echo",{"_placeholder":true,"num":0}]`) + packet(0x80, "\x00\x01\xff"))
	c.expect(`461-7[{"_placeholder":true,"num":0}]`)
	c.expect("binary:\x00\x01\xff")
	for _, b := range []byte(packet(0, `429["echo","in pieces"]`)) {
		c.raw(string(b))
	}
	c.expect(`439["in pieces"]`)
	s.Disconnect(true)
	c.expect("41")
	c.ends()
	if r := receive(t, h.ends); r != "server namespace disconnect" {
		t.Errorf("ended with %q", r)
	}
}

func TestWebTransportGoodbyes(t *testing.T) {
	h := open(t)
	for name, tt := range map[string]struct {
		act  func(c *client)
		want socketio.Reason
	}{
		"the client closes":     {func(c *client) { _ = c.stream.Close() }, "transport close"},
		"a packet of no bytes":  {func(c *client) { c.raw("\x00") }, "parse error"},
		"a length that is none": {func(c *client) { c.raw("\x7f\xff\xff\xff\xff\xff\xff\xff\xff") }, "parse error"},
		"no packet":             {func(c *client) { c.send("x") }, "parse error"},
		"more than may be":      {func(c *client) { c.raw("\x7f\x00\x00\x00\x00\x00\x03\x0d\x41") }, "transport error"}, // 200,001
		"a breach of Socket.IO": {func(c *client) { c.send("4?") }, "forced close"},
	} {
		t.Run(name, func(t *testing.T) {
			c := h.dial(t)
			c.send("0")
			c.opened()
			tt.act(c)
			if r := receive(t, h.ends); r != tt.want {
				t.Errorf("ended with %q, want %q", r, tt.want)
			}
			c.ends()
		})
	}
}

func TestSessionsThatDoNotOpen(t *testing.T) {
	h := open(t)
	for _, first := range []string{"\x00", packet(0, "2"), packet(0x80, "0"), packet(0, "0{}"), packet(0, `0{"sid":1}`), packet(0, `0{"sid":"AAAAAAAAAAAAAAAAAAAA"}`), "\x7f\x00\x00\x00\x00\x00\x01\x00\x00"} {
		c := h.dial(t)
		c.raw(first)
		c.ends()
	}
	if n := h.Stats().Engine.Opened; n != 0 {
		t.Errorf("%d sessions were opened", n)
	}
}

func TestPollingUpgradesToWebTransport(t *testing.T) {
	h := open(t)
	get := func(query string) string {
		t.Helper()
		r, err := http.Get(h.page + "/socket.io/?EIO=4&transport=polling" + query)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		b, _ := io.ReadAll(r.Body)
		return string(b)
	}
	var o struct {
		SID      string
		Upgrades []string
	}
	if err := json.Unmarshal([]byte(get("")[1:]), &o); err != nil || fmt.Sprint(o.Upgrades) != "[websocket webtransport]" {
		t.Fatalf("upgrades %v (%v)", o.Upgrades, err)
	}
	c := h.dial(t)
	c.send(fmt.Sprintf(`0{"sid":%q}`, o.SID))
	c.send("2probe")
	c.expect("3probe")
	if got := get("&sid=" + o.SID); got != "6" { // released, for the client to let go of polling
		t.Errorf("poll: %q", got)
	}
	c.send("5")
	c.join()
	if s := receive(t, h.joined); s.Transport() != socketio.WebTransport {
		t.Errorf("transport %v", s.Transport())
	}
	if st := h.Stats().Engine; st.Polling != 0 || st.WebTransport != 1 || st.WebSocket != 0 || st.Upgrades != 1 {
		t.Errorf("stats %+v", st)
	}
	if got := get("&sid=" + o.SID); !strings.Contains(got, "Bad request") { // fact 38
		t.Errorf("poll: %q", got)
	}
}

// Nobody can say over plain HTTP that it is WebTransport.
func TestWebTransportIsNoNameForPlainHTTP(t *testing.T) {
	h := open(t)
	for _, upgrade := range []bool{false, true} {
		r, _ := http.NewRequest("GET", h.page+"/socket.io/?EIO=4&transport=webtransport", nil)
		if upgrade {
			r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != 400 || !strings.Contains(string(b), "Transport unknown") {
			t.Errorf("upgrade %v: %s %s", upgrade, resp.Status, b)
		}
	}
}

// The official client in Chromium, which takes the certificate by its hash.
func TestTheOfficialClientOverWebTransport(t *testing.T) {
	h := open(t)
	browser := clienttest.OpenBrowser(t)
	page := browser.Open(h.page, clienttest.PageOptions{})
	var hash strings.Builder
	for i, b := range h.hash {
		if i > 0 {
			hash.WriteByte(',')
		}
		fmt.Fprint(&hash, b)
	}
	url := strings.TrimSuffix(h.url, "/socket.io/?EIO=4&transport=webtransport")
	got := page.Evaluate(fmt.Sprintf(`new Promise((resolve, reject) => {
		if (!("WebTransport" in window)) return resolve("no WebTransport");
		const hash = { algorithm: "sha-256", value: new Uint8Array([%s]) };
		const socket = io(%q, { transports: ["webtransport"], transportOptions: { webtransport: { serverCertificateHashes: [hash] } } });
		const bytes = Uint8Array.from({ length: 100000 }, (_, i) => i);
		socket.on("connect_error", (e) => reject(new Error(e.message + " " + e.description + " " + JSON.stringify(e.context ?? ""))));
		socket.on("connect", () => socket.emit("echo", "😀 €", bytes.buffer, (text, b) => {
			const over = socket.io.engine.transport.name;
			socket.disconnect();
			resolve([text, new Uint8Array(b).join() === bytes.join(), over]);
		}));
	})`, hash.String(), url))
	if string(got) == `"no WebTransport"` {
		clienttest.Unavailable(t, "this Chromium has no WebTransport on pages over HTTP")
	}
	if string(got) != `["😀 €",true,"webtransport"]` {
		t.Errorf("got %s", got)
	}
	if r := receive(t, h.ends); r != "client namespace disconnect" && r != "transport close" {
		t.Errorf("ended with %q", r)
	}
}
