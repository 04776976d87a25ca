package engine_test

import (
	"log/slog"
	"net"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

func TestListeningOnAllAddressesMeansBothFamilies(t *testing.T) {
	f := &fixture{t: t, served: make(chan error, 1)}
	srv, err := engine.New(engine.Options{Accept: f.accept, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Listen(":0"); err != nil {
		t.Fatal(err)
	}
	f.srv = srv
	go func() { f.served <- srv.Serve() }()
	t.Cleanup(f.stop)
	_, port, _ := net.SplitHostPort(srv.Addr().String())
	for _, host := range []string{"127.0.0.1", "::1"} {
		if host == "::1" && !hasIPv6() {
			continue
		}
		f.addr = net.JoinHostPort(host, port)
		if r := f.dial().do("GET", "/socket.io/", ""); r.StatusCode != 400 {
			t.Errorf("%s: %s", host, r.Status)
		}
	}
}

func hasIPv6() bool {
	ln, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return false
	}
	return ln.Close() == nil
}
