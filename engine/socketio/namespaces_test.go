package socketio_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

func TestLookingForANamespaceMakesNone(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{CleanupEmptyChildNamespaces: true}))
	made := make(chan string, 10)
	gone := make(chan struct{})
	io.OnNewNamespace(func(n *socketio.Namespace) {
		made <- n.Name()
		n.OnDisconnect(func(ctxt, *socketio.Socket, socketio.Reason) { close(gone) })
	})
	io.OfPattern(anyRoom)
	for _, name := range []string{"/room-1", "room-1", "/nowhere", "/_0", "/a,b", ",", "/ /"} {
		if n, ok := io.Namespace(name); ok || n != nil {
			t.Errorf("%q is there", name)
		}
	}
	for _, name := range []string{"", "/"} {
		if n, ok := io.Namespace(name); !ok || n != io.Of("/") {
			t.Errorf("%q is not the default namespace", name)
		}
	}
	if len(made) != 0 {
		t.Fatal("looking made a namespace")
	}

	c := dial(t, start(t, io))
	enter(c, "40/room-1", "40/room-1,")
	for _, name := range []string{"/room-1", "room-1"} {
		if n, ok := io.Namespace(name); !ok || n != io.Of("/room-1") {
			t.Errorf("%q, which a client made, is not found", name)
		}
	}
	c.send("41/room-1")
	receive(t, gone)
	eventually(t, "the empty namespace goes", func() bool { _, ok := io.Namespace("/room-1"); return !ok })
	if len(made) != 1 {
		t.Errorf("%d namespaces made, want that of the client", len(made))
	}
}
