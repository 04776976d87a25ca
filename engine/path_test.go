package engine_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// Which paths are the engine's: it answers 400 to a handshake of no known protocol,
// and the others are nobody's here.
func TestPathsOfTheEngine(t *testing.T) {
	for _, tt := range []struct {
		name          string
		o             engine.Options
		ours, foreign []string
	}{
		{"the default", engine.Options{},
			[]string{"/socket.io/", "/socket.io/anything", "/socket.io//"}, []string{"/socket.io", "/socket.iox", "/", "/socket.i"}},
		{"another path", engine.Options{Path: "/a/b"}, []string{"/a/b/", "/a/b/c"}, []string{"/a/b", "/a/", "/socket.io/"}},
		{"slashes around it are no matter", engine.Options{Path: "a/b/"}, []string{"/a/b/", "/a/b/c"}, []string{"/a/b", "/a/", "/socket.io/"}},
		{"everything", engine.Options{Path: "/"}, []string{"/", "/socket.io/", "/x"}, nil},
		{"no trailing slash", engine.Options{NoTrailingSlash: true},
			[]string{"/socket.io", "/socket.io/", "/socket.io/x"}, []string{"/socket.iox", "/socket.i", "/"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := startFacts(t, tt.o)
			for _, path := range tt.ours {
				if r := f.dial().do("GET", path+"?EIO=5&transport=polling", ""); r.StatusCode != 400 {
					t.Errorf("%s: %s", path, r.Status)
				}
			}
			for _, path := range tt.foreign {
				if r := f.dial().do("GET", path+"?EIO=5&transport=polling", ""); r.StatusCode != 404 {
					t.Errorf("%s: %s", path, r.Status)
				}
			}
		})
	}
}

// A session keeps its protocol (Engine.IO 6.6.12), over polling and at the upgrade.
func TestASessionKeepsItsProtocol(t *testing.T) {
	f := startFacts(t, engine.Options{})
	p := f.poller()
	for _, query := range []string{"EIO=3&transport=polling", "transport=polling"} {
		for _, method := range []string{"GET", "POST"} {
			c := f.dial()
			c.request(method, "/socket.io/?"+query+"&sid="+p.sid, "")
			c.expect(codeError(3, "Bad request"))
		}
	}
	c := f.dial()
	c.request("GET", "/socket.io/?EIO=3&transport=websocket&sid="+p.sid, "", wsHeader)
	c.expect(refused("Bad request"))
	p.alive()
}
