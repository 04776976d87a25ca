package adminui_test

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/adminui"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
	"golang.org/x/crypto/bcrypt"
)

const (
	username = "ops"
	password = "correct horse"
)

// hash is of password, as cheap as they come.
var hash = func() string {
	b, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(b)
}()

type object = map[string]any

// house is a server with an admin namespace, and without a network.
type house struct {
	*socketiotest.Server
	ui *adminui.UI
	t  testing.TB
}

func open(t testing.TB, o adminui.Options, so socketio.Options) *house {
	t.Helper()
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	if !o.NoAuth && o.Username == "" {
		o.Username, o.PasswordHash = username, hash
	}
	so.Logger = o.Logger
	server := socketio.New(so)
	ui, err := adminui.Instrument(server, o)
	if err != nil {
		t.Fatal(err)
	}
	return &house{socketiotest.Start(t, server), ui, t}
}

// develop opens a house in which everything is shown, and whose door is open.
func develop(t testing.TB) *house {
	t.Helper()
	return open(t, adminui.Options{NoAuth: true, Mode: adminui.Development, ServerID: "one"}, socketio.Options{})
}

// admin is an admin's client. It sets server_stats aside, which come when they come.
type admin struct {
	*socketiotest.Client
	t testing.TB
}

func (h *house) admin(auth any) *admin {
	h.t.Helper()
	return &admin{h.Connect(socketiotest.ConnectOptions{Namespace: "/admin", Auth: auth}), h.t}
}

// watcher is an admin who has been told what there is.
func (h *house) watcher() *admin {
	h.t.Helper()
	a := h.admin(nil)
	a.expect("config")
	a.expect("all_sockets")
	return a
}

// next is the next event but server_stats.
func (a *admin) next() *socketiotest.Event {
	a.t.Helper()
	for {
		if e := a.Next(); e.Name != "server_stats" {
			return e
		}
	}
}

// expect takes the next event, and decodes its arguments.
func (a *admin) expect(name string, args ...any) {
	a.t.Helper()
	e := a.next()
	if e.Name != name {
		a.t.Fatalf("got %.500v, want %s", e, name)
	}
	if err := e.Args.Decode(args...); err != nil {
		a.t.Fatalf("%.500v: %v", e, err)
	}
}

// expectAbout takes the next event, whose arguments must be these and a date.
func (a *admin) expectAbout(name string, want ...any) {
	a.t.Helper()
	e := a.next()
	n := e.Args.Len() - 1
	got := make([]any, 0, n)
	for i := range n {
		var v any
		if err := e.Args.At(i).Decode(&v); err != nil {
			a.t.Fatal(err)
		}
		got = append(got, v)
	}
	var date time.Time
	if err := json.Unmarshal(e.Args.Raw(n), &date); err != nil || time.Since(date).Abs() > time.Hour {
		a.t.Errorf("%s: date %s", name, e.Args.Raw(n))
	}
	if g, w := text(got), text(want); e.Name != name || g != w {
		a.t.Fatalf("got %s %s, want %s %s", e.Name, g, name, w)
	}
}

// nothing requires that the admin was told nothing but numbers.
func (a *admin) nothing(h *house) {
	a.t.Helper()
	h.Settle()
	for a.Received() > 0 {
		if e := a.Next(); e.Name != "server_stats" {
			a.t.Fatalf("got %.500v, want nothing", e)
		}
	}
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// shown is a socket as admins see it.
type shown struct {
	ID, ClientID, Transport, Nsp string
	Data                         object
	Handshake                    struct {
		Address, Time, URL string
		Headers, Query     map[string]string
		Issued             int64
		Secure, XDomain    bool
	}
	Rooms []string
}
