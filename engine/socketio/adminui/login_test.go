package adminui_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/adminui"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
	"golang.org/x/crypto/bcrypt"
)

const wrong = "invalid credentials" // by which the page knows to ask again

func TestAPasswordLetsIn(t *testing.T) {
	h := open(t, adminui.Options{}, socketio.Options{})
	for _, prefix := range []string{"$2a$", "$2b$", "$2y$"} { // of Go, of Node's bcryptjs, of PHP and htpasswd
		h := open(t, adminui.Options{Username: "x", PasswordHash: prefix + hash[4:]}, socketio.Options{})
		a := h.admin(object{"username": "x", "password": password})
		a.expect("session")
	}
	for _, auth := range []any{
		nil, object{}, object{"username": username}, object{"password": password}, object{"username": username, "password": "x"},
		object{"username": "x", "password": password}, object{"username": username, "password": ""}, object{"username": 1, "password": true},
		object{"sessionId": ""}, object{"sessionId": "x"}, object{"sessionId": nil},
	} {
		if got := h.admin(auth).Refused().Message; got != wrong {
			t.Errorf("%v: %q", auth, got)
		}
	}
	a := h.admin(object{"username": username, "password": password})
	var session string
	var config struct{ SupportedFeatures []string }
	a.expect("session", &session)
	a.expect("config", &config)
	if len(session) < 20 {
		t.Errorf("session %q", session)
	}
	again := h.admin(object{"sessionId": session})
	again.expect("config") // and no session
	if st := h.ui.Stats(); st.Passwords != 1 || st.Sessions != 1 || st.Refused != 11 || st.Admins != 2 {
		t.Errorf("%+v", st)
	}
}

func TestTheDoorIsOpenOnlyWhereThatIsMeant(t *testing.T) {
	for _, o := range []adminui.Options{
		{}, {Username: "x"}, {PasswordHash: hash}, {Username: "x", PasswordHash: "plain"}, {Username: "x", PasswordHash: hash, MaxSockets: -1},
		{NoAuth: true, Mode: 2}, {NoAuth: true, SessionTTL: -1},
	} {
		if _, err := adminui.Instrument(socketio.New(socketio.Options{}), o); err == nil || !strings.HasPrefix(err.Error(), "adminui: ") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	h := open(t, adminui.Options{NoAuth: true}, socketio.Options{})
	h.admin(nil).expect("config")
}

func TestFailedLoginsAreThrottledByAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, adminui.Options{LoginBurst: 3, LoginInterval: time.Minute}, socketio.Options{})
		try := func(address, password string) string {
			t.Helper()
			c := h.Connect(socketiotest.ConnectOptions{
				Namespace: "/admin", Auth: object{"username": username, "password": password}, Addr: netip.AddrPortFrom(netip.MustParseAddr(address), 1),
			})
			if password == "correct horse" {
				c.ID() // or the test fails
				c.Close()
				return ""
			}
			return c.Refused().Message
		}
		const a, near, far = "2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1"
		for range 3 {
			if got := try(a, "x"); got != wrong {
				t.Errorf("%q", got)
			}
		}
		for _, address := range []string{a, near} {
			if got := try(address, "x"); !strings.HasPrefix(got, "too many attempts") {
				t.Errorf("%s: %q", address, got)
			}
		}
		if got := try(far, "x"); got != wrong {
			t.Errorf("%q", got)
		}
		time.Sleep(time.Minute + time.Second)
		for range 5 { // who knows the password is not counted
			try(a, password)
		}
		if got := try(a, "x"); got != wrong {
			t.Errorf("%q", got)
		}
		if got := try(a, "x"); got == wrong {
			t.Errorf("%q", got)
		}
		if st := h.ui.Stats(); st.Throttled != 3 || st.Passwords != 5 {
			t.Errorf("%+v", st)
		}
	})
}

// One password is checked at a time, few wait, and whoever else connects does not.
func TestAStormOfLoginsHasABound(t *testing.T) {
	slow, err := bcrypt.GenerateFromPassword([]byte(password), 10)
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, adminui.Options{Username: username, PasswordHash: string(slow), MaxLogins: 2, LoginBurst: 1000}, socketio.Options{})
	const n = 30
	done := make(chan string, n)
	for range n {
		go func() {
			c := h.Connect(socketiotest.ConnectOptions{Namespace: "/admin", Auth: object{"username": username, "password": "x"}})
			done <- c.Refused().Message
		}()
	}
	h.Connect().ID()
	answers := make(map[string]int)
	for range n {
		answers[<-done]++
	}
	if answers[wrong] == 0 || answers[wrong] == n || len(answers) != 2 {
		t.Errorf("%v", answers)
	}
}

func TestSessionsOfTheDefaultStoreEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, adminui.Options{MaxSessions: 2, SessionTTL: time.Hour}, socketio.Options{})
		begin := func() (id string) {
			a := h.admin(object{"username": username, "password": password})
			a.expect("session", &id)
			a.Close()
			return id
		}
		good := func(id string) bool {
			a := h.admin(object{"sessionId": id})
			h.Settle()
			defer a.Close()
			return a.Received() > 0
		}
		a, b := begin(), begin()
		if !good(a) || !good(b) {
			t.Error("a session is not good")
		}
		c := begin()
		if good(a) || !good(b) || !good(c) {
			t.Error("the oldest should have gone")
		}
		time.Sleep(2 * time.Hour)
		if good(b) || good(c) {
			t.Error("they should have gone by now")
		}
	})
}

// brokenStore forgets everything, and says so.
type brokenStore struct{ asked atomic.Int64 }

func (b *brokenStore) Has(context.Context, string) (bool, error) {
	b.asked.Add(1)
	return true, errors.New("broken")
}

func (b *brokenStore) Save(context.Context, string) error { return errors.New("broken") }

func TestABrokenStoreLetsNobodyInWithoutAPassword(t *testing.T) {
	store := &brokenStore{}
	h := open(t, adminui.Options{Sessions: store}, socketio.Options{})
	if got := h.admin(object{"sessionId": "x"}).Refused().Message; got != wrong || store.asked.Load() != 1 {
		t.Errorf("%q, asked %d times", got, store.asked.Load())
	}
	h.admin(object{"username": username, "password": password}).expect("config") // and no session
}

func TestWithoutAnAdminNamespaceThereIsNone(t *testing.T) {
	h := socketiotest.NewServer(t, socketio.Options{})
	if got := h.Connect(socketiotest.ConnectOptions{Namespace: "/admin"}).Refused().Message; got != "Invalid namespace" {
		t.Errorf("%q", got)
	}
}
