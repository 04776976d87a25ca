package forward

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
)

// A connection to another server is for requests of one peer, so that what it says of that
// when it is opened holds for all of them, and no header field has to be believed. In the
// Transport's pool, which goes by the names of hosts, the two are the name.

// host is the name of the server with that tag, for requests of r's peer.
func host(tag string, r *http.Request) string {
	return hex.EncodeToString(appendPeer(nil, r)) + "." + tag
}

// dial opens a connection to a host of that form.
func (f *Forwarder) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	name, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	from, tag, _ := strings.Cut(name, ".")
	meta, err := hex.DecodeString(from)
	if err != nil {
		return nil, err
	}
	return f.tunnel.Dial(ctx, tag, meta)
}

// ofConnection are the fields that are of this connection alone. httputil.ReverseProxy takes
// away more: who is said to have sent the request, and whatever a client names in Connection.
// That is the other server's to judge, or a client could hide what a proxy says of it.
var ofConnection = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Proxy-Authenticate": true,
	"Proxy-Authorization": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// rewrite addresses the request, and leaves everything else as it came.
func rewrite(p *httputil.ProxyRequest) {
	path, query, _ := strings.Cut(p.In.RequestURI, "?")
	if !strings.HasPrefix(path, "/") { // a whole URL
		path, query = p.In.URL.EscapedPath(), p.In.URL.RawQuery
	}
	name, _ := p.In.Context().Value(routeKey{}).(string)
	p.Out.URL = &url.URL{Scheme: "http", Host: name, Opaque: path, RawQuery: query}
	p.Out.Host = p.In.Host
	for name, lines := range p.In.Header {
		if !ofConnection[name] {
			p.Out.Header[name] = lines
		}
	}
}

// once sends each request one time. A Transport by itself sends a GET again where its
// connection broke before the answer: what that poll was to bring may be lost by then, and
// the client would never know.
type once struct{ *http.Transport }

// RoundTrip sends a request.
func (t once) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions || r.Method == http.MethodTrace {
		r = r.WithContext(r.Context()) // a shallow copy
		r.Body = unrepeatable{r.Body}
	}
	return t.Transport.RoundTrip(r)
}

// unrepeatable is a body, or none, that cannot be sent again.
type unrepeatable struct{ body io.ReadCloser }

func (u unrepeatable) Read(b []byte) (int, error) {
	if u.body == nil {
		return 0, io.EOF
	}
	return u.body.Read(b)
}

func (u unrepeatable) Close() error {
	if u.body == nil {
		return nil
	}
	return u.body.Close()
}

// fail answers a request that could not be forwarded.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, tunnel.ErrPeerGone), errors.Is(err, tunnel.ErrRefused):
		socketio.RefuseSession(w, r)
	case errors.Is(err, tunnel.ErrBusy), r.Context().Err() != nil: // or this server stops, if the client is still there
		w.Header().Set("Retry-After", "1")
		http.Error(w, "cannot serve this request now", http.StatusServiceUnavailable)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF): // the other server has cut the connection, and so do we
		panic(http.ErrAbortHandler)
	default:
		http.Error(w, "the server with this session does not answer", http.StatusBadGateway)
	}
}
