package adminui_test

import (
	"slices"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/adminui"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

func TestFeaturesFollowTheMode(t *testing.T) {
	write := []string{"EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT"}
	for _, tt := range []struct {
		o    adminui.Options
		want []string
	}{
		{adminui.Options{}, append(slices.Clone(write), "AGGREGATED_EVENTS")},
		{adminui.Options{Mode: adminui.Development}, append(slices.Clone(write), "AGGREGATED_EVENTS", "ALL_EVENTS")},
		{adminui.Options{ReadOnly: true}, []string{"AGGREGATED_EVENTS"}},
		{adminui.Options{ReadOnly: true, Mode: adminui.Development}, []string{"AGGREGATED_EVENTS", "ALL_EVENTS"}},
	} {
		tt.o.NoAuth = true
		a := open(t, tt.o, socketio.Options{}).admin(nil)
		var config struct{ SupportedFeatures []string }
		if a.expect("config", &config); !slices.Equal(config.SupportedFeatures, tt.want) {
			t.Errorf("%+v: %q", tt.o, config.SupportedFeatures)
		}
	}
}

func TestAnAdminEmitsJoinsLeavesAndDisconnects(t *testing.T) {
	h := open(t, adminui.Options{NoAuth: true}, socketio.Options{})
	h.Of("/b")
	a := h.admin(nil)
	a.expect("config")
	x, y := h.Connect(), h.Connect()
	z := h.Connect(socketiotest.ConnectOptions{Namespace: "/b"})

	a.Emit("emit", "/", nil, "all", 1, object{"a": "b"}, []byte{7})
	for _, c := range []*socketiotest.Client{x, y} {
		if e := c.Expect("all"); len(e.Args.Attachments()) != 1 || e.Args.Len() != 3 {
			t.Errorf("%v", e)
		}
	}
	a.Emit("emit", "/", x.ID(), "one")
	x.Expect("one")
	a.Emit("join", "/", "r", x.ID())
	a.Emit("join", "/", []string{"s", "t"}, nil)
	h.Settle()
	if !slices.Equal(x.Socket().Rooms(), []string{x.ID(), "r", "s", "t"}) || !slices.Equal(y.Socket().Rooms(), []string{y.ID(), "s", "t"}) {
		t.Errorf("%q %q", x.Socket().Rooms(), y.Socket().Rooms())
	}
	a.Emit("emit", "/", "r", "in r")
	x.Expect("in r")
	a.Emit("leave", "/", "t") // everybody
	a.Emit("leave", "/", "s", x.ID())
	h.Settle()
	if !slices.Equal(x.Socket().Rooms(), []string{x.ID(), "r"}) || !slices.Equal(y.Socket().Rooms(), []string{y.ID(), "s"}) {
		t.Errorf("%q %q", x.Socket().Rooms(), y.Socket().Rooms())
	}
	a.Emit("_disconnect", "/", false, x.ID())
	if r := x.Disconnected(); r != socketiotest.ServerDisconnect {
		t.Error(r)
	}
	a.Emit("_disconnect", "/", true)
	y.Disconnected()
	z.ExpectNothing()
	a.Emit("_disconnect", "/b", false, "nobody")
	z.ExpectNothing()
	z.ID()
	if st := h.ui.Stats(); st.Commands != 10 {
		t.Errorf("%+v", st)
	}
}

func TestAReadOnlyAdminChangesNothing(t *testing.T) {
	h := open(t, adminui.Options{NoAuth: true, ReadOnly: true, Mode: adminui.Development}, socketio.Options{})
	a := h.watcher()
	x := h.Connect()
	a.Emit("emit", "/", nil, "e")
	a.Emit("join", "/", "r", nil)
	a.Emit("leave", "/", "r", nil)
	a.Emit("_disconnect", "/", true, nil)
	x.ExpectNothing()
	if len(x.Socket().Rooms()) != 1 {
		t.Errorf("%q", x.Socket().Rooms())
	}
}

// A command that is none harms nobody; one for a namespace that is not there makes none.
func TestBadCommandsAreRefused(t *testing.T) {
	var failed []error
	h := open(t, adminui.Options{NoAuth: true}, socketio.Options{OnError: func(_ ctxt, _ *socketio.Socket, err error) { failed = append(failed, err) }})
	a := h.admin(nil)
	x := h.Connect()
	for _, c := range [][]any{
		{"emit"}, {"emit", "/nowhere", nil, "e"}, {"emit", 1, nil, "e"}, {"emit", "/", object{}, "e"}, {"emit", "/", nil, object{}},
		{"emit", "/", nil, "disconnect"}, {"join", "/", 1}, {"join", "/", make([]string, 101)}, {"join", "/", string(make([]byte, 300))},
		{"_disconnect", "/nowhere", true}, {"_disconnect", "/", "yes"}, {"_disconnect"},
	} {
		a.Emit(c[0].(string), c[1:]...)
		h.Settle()
		if len(failed) != 1 {
			t.Errorf("%.50v: %v", c, failed)
		}
		failed = nil
	}
	a.Emit("join", "/", nil) // Node joins the room "null"
	a.Emit("nothing", "/")
	x.ExpectNothing()
	if len(failed) > 0 || len(h.Namespaces()) != 2 || len(x.Socket().Rooms()) != 1 {
		t.Errorf("%v, %d namespaces, rooms %q", failed, len(h.Namespaces()), x.Socket().Rooms())
	}
}

// FuzzCommands has an admin send whatever there is.
func FuzzCommands(f *testing.F) {
	for _, s := range []string{
		`["emit","/",null,"e",1]`, `["emit","/","r","e",{"a":[1]}]`, `["join","/","r","x"]`, `["join","/",["a","b"],["c"]]`, `["leave","/","r"]`,
		`["_disconnect","/nowhere",false,"x"]`, `["emit"]`, `["join",{}]`, `["leave",null,null,null]`, `["emit","/",[],"",[]]`, `["_disconnect","/admin",false,["x"]]`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, packet string) {
		h := open(t, adminui.Options{NoAuth: true, Mode: adminui.Development}, socketio.Options{OnError: func(ctxt, *socketio.Socket, error) {}})
		a := h.admin(nil)
		a.expect("config")
		a.Raw("2/admin," + packet)
		h.Settle()
		if st := h.Stats(); st.Panics != 0 {
			t.Errorf("%d panics", st.Panics)
		}
		if n := len(h.Namespaces()); n != 2 {
			t.Errorf("%d namespaces", n)
		}
	})
}
