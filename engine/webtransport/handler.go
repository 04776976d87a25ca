package webtransport

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/quic-go/webtransport-go"
)

// openTimeout is how long a session has for its first packet, and the server for its
// answer: Node's upgradeTimeout.
const openTimeout = 10 * time.Second

// lastWords is how long a client may take to read what was said last before its session
// is closed, unless it closes that first.
const lastWords = time.Second

// maxOpen is the longest first packet, in bytes: a session's id in JSON.
const maxOpen = 1 << 10

var (
	errNotOpen = errors.New("webtransport: the first packet does not open a session")
	errRefused = errors.New("webtransport: the server refused")
)

// Handler returns what serves requests below the server's path on an http3.Server: a
// CONNECT for WebTransport becomes a session of server, everything else goes to server
// itself, which polls over HTTP/3. Options.Transports of server has to list WebTransport.
// wt says which origins may come (CheckOrigin; its default is the same host). The
// Handler returns when the session ends. Node: engine.onWebTransportSession.
func Handler(server *socketio.Server, wt *webtransport.Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			server.ServeHTTP(w, r)
			return
		}
		s, err := wt.Upgrade(w, r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_ = serve(server, s, r)
		_ = s.CloseWithError(0, "")
	})
}

// serve carries a session's one stream until it ends.
func serve(server *socketio.Server, s *webtransport.Session, r *http.Request) error {
	ctx, cancel := context.WithTimeout(s.Context(), openTimeout)
	defer cancel()
	stream, err := s.AcceptStream(ctx)
	if err != nil {
		return err
	}
	in := bufio.NewReader(stream)
	_ = stream.SetReadDeadline(time.Now().Add(openTimeout))
	sid, err := readOpen(in)
	if err != nil {
		return err
	}
	_ = stream.SetReadDeadline(time.Time{})
	nc, err := server.Dial(peerOf(r))
	if err != nil {
		return err
	}
	defer func() { _ = nc.Close() }()
	stop := context.AfterFunc(s.Context(), func() { _ = nc.Close() })
	defer stop()
	out, err := openSocket(nc, r, sid)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		err := carryIn(nc, in)
		_ = nc.Close()
		ended <- err
	}()
	err = carryOut(stream, out)
	answerClose(nc, err)
	_ = stream.Close()
	_ = stream.SetReadDeadline(time.Now().Add(lastWords)) // the session's end would take what is on its way along
	err = errors.Join(err, <-ended)
	_, _ = io.Copy(io.Discard, in)
	return err
}

// readOpen reads the first packet: "0" opens a session, `0{"sid":"…"}` is the upgrade of
// the one that polls.
func readOpen(r io.Reader) (sid string, err error) {
	h, err := readHeader(r)
	if err != nil {
		return "", err
	}
	if h.binary || h.length > maxOpen {
		return "", errNotOpen
	}
	b := make([]byte, h.length)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", noEOF(err)
	}
	if b[0] != '0' {
		return "", errNotOpen
	}
	if len(b) == 1 {
		return "", nil
	}
	var open struct {
		SID string `json:"sid"`
	}
	if err := json.Unmarshal(b[1:], &open); err != nil || open.SID == "" {
		return "", errNotOpen
	}
	return open.SID, nil
}

func peerOf(r *http.Request) socketio.Peer {
	p := socketio.Peer{TLS: r.TLS, Transport: socketio.WebTransport}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		p.Addr = at
	}
	return p
}

// openSocket asks the server for a WebSocket with what the session's request said, and
// returns what reads its frames.
func openSocket(nc net.Conn, r *http.Request, sid string) (*bufio.Reader, error) {
	_ = nc.SetDeadline(time.Now().Add(openTimeout))
	var key [16]byte
	_, _ = rand.Read(key[:]) // never fails (crypto/rand)
	q := r.Clone(r.Context())
	q.Method, q.Proto, q.ProtoMajor, q.ProtoMinor = http.MethodGet, "HTTP/1.1", 1, 1
	q.ContentLength, q.TransferEncoding = 0, nil
	q.RequestURI = target(r.URL, sid)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13",
		"Sec-Websocket-Key": base64.StdEncoding.EncodeToString(key[:]),
	} {
		q.Header.Set(name, value)
	}
	if _, err := nc.Write(http1.AppendRequestHead(nil, q)); err != nil {
		return nil, err
	}
	br := bufio.NewReader(nc)
	answer, err := http.ReadResponse(br, q)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("%w: %s", errRefused, answer.Status)
	}
	return br, nc.SetDeadline(time.Time{})
}

// target is the session's own, with what the first packet said in place of what the
// query may say.
func target(u *url.URL, sid string) string {
	q := u.Query()
	q.Set("EIO", "4")
	q.Set("transport", socketio.WebTransport.String())
	q.Del("sid")
	if sid != "" {
		q.Set("sid", sid)
	}
	return u.EscapedPath() + "?" + q.Encode()
}
