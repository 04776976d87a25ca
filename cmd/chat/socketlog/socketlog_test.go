package socketlog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fanfare-go/fanfare/cmd/chat/socketlog"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent(),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}

// followed is a server whose sockets can be followed, and what was written.
type followed struct {
	*socketiotest.Server
	io  *socketio.Server
	log *socketlog.Log
	mu  sync.Mutex
	out bytes.Buffer // guarded by mu
}

func (f *followed) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out.Write(b)
}

// lines are those that were written for the socket, without time and id.
func (f *followed) lines(id string) (all []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for line := range strings.Lines(f.out.String()) {
		if _, rest, ok := strings.Cut(line, " socket="+id); ok {
			_, what, _ := strings.Cut(line, "msg=")
			what, _, _ = strings.Cut(what, " socket=")
			all = append(all, strings.TrimSpace(what+rest))
		}
	}
	return all
}

func serve(t *testing.T) *followed {
	f := &followed{io: socketio.New(socketio.Options{Logger: slog.New(slog.DiscardHandler)})}
	f.log = socketlog.New(slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug})), f.io.Socket)
	f.io.OnConnect(f.log.Connected)
	socketio.OnAck(f.io, "say", func(_ context.Context, _ *socketio.Socket, text string) (string, error) {
		return "ok", f.io.Emit("said", text)
	})
	f.Server = socketiotest.Start(t, f.io)
	t.Cleanup(f.log.Close)
	return f
}

func TestOneSocketIsFollowedAndItsNeighbourIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := serve(t)
		a, b := f.Connect(), f.Connect()
		if err := f.log.Follow(a.ID(), 0); err != nil {
			t.Fatal(err)
		}
		a.EmitAck("say", "a secret")
		b.EmitAck("say", "another")
		a.Disconnect()
		synctest.Wait()
		want := []string{
			`followed namespace=/ transport=websocket recovered=false`,
			`"event received" event=say bytes=12`,
			`"event sent" event=said bytes=10`,
			`"event sent" event=said bytes=9`,
			`disconnected reason="client namespace disconnect"`,
		}
		if got := f.lines(a.ID()); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("wrote\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if got := f.lines(b.ID()); len(got) > 0 || strings.Contains(f.out.String(), "secret") {
			t.Errorf("of the neighbour, or of what was said: %s", f.out.String())
		}
	})
}

func TestUnfollowedMeansSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := serve(t)
		a := f.Connect()
		_ = f.log.Follow(a.ID(), 0)
		if !f.log.Unfollow(a.ID()) || f.log.Unfollow(a.ID()) {
			t.Error("Unfollow does not say whether the socket was followed")
		}
		before := len(f.lines(a.ID()))
		a.EmitAck("say", "x")
		a.Disconnect()
		synctest.Wait()
		if got := f.lines(a.ID()); len(got) != before {
			t.Errorf("wrote %q", got)
		}
	})
}

func TestFollowingEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := serve(t)
		a := f.Connect()
		_ = f.log.Follow(a.ID(), time.Minute)
		time.Sleep(30 * time.Second)
		_ = f.log.Follow(a.ID(), time.Minute) // once more
		time.Sleep(45 * time.Second)
		a.EmitAck("say", "x")
		if got := f.lines(a.ID()); len(got) < 3 {
			t.Errorf("given up too early: %q", got)
		}
		time.Sleep(15 * time.Second)
		synctest.Wait()
		before := f.lines(a.ID())
		if before[len(before)-1] != `"no longer followed"` {
			t.Errorf("wrote %q", before)
		}
		a.EmitAck("say", "x")
		if got := f.lines(a.ID()); len(got) != len(before) {
			t.Errorf("wrote %q", got)
		}
	})
}

func TestOneInSoManyIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := serve(t)
		if err := f.log.Set([]string{"1/3"}); err != nil {
			t.Fatal(err)
		}
		n := 0
		for range 9 {
			c := f.Connect()
			c.EmitAck("say", "x")
			if lines := f.lines(c.ID()); len(lines) > 0 {
				n++
				if !strings.HasPrefix(lines[0], "connected ") {
					t.Errorf("wrote %q", lines)
				}
			}
			c.Disconnect()
		}
		if n != 3 {
			t.Errorf("%d of 9 were followed", n)
		}
		if err := f.log.Set(nil); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if c := f.Connect(); len(f.lines(c.ID())) > 0 {
				t.Error("one is followed still")
			}
		}
	})
}

func TestASocketThatFloodsIsWorthSoManyLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := serve(t)
		a := f.Connect()
		_ = f.log.Follow(a.ID(), 0)
		for range 300 {
			a.Emit("nothing")
		}
		synctest.Wait()
		time.Sleep(time.Second)
		a.Emit("nothing")
		synctest.Wait()
		lines := f.lines(a.ID())
		if len(lines) > 103 || !strings.Contains(strings.Join(lines, "\n"), "missed=201") {
			t.Errorf("%d lines, the last: %q", len(lines), lines[len(lines)-2:])
		}
	})
}

func TestTooManyAndWrongOnesAreRefused(t *testing.T) {
	f := serve(t)
	for i := range 100 {
		if err := f.log.Follow(fmt.Sprintf("id%d", i), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.log.Follow("more", 0); !errors.Is(err, socketlog.ErrTooMany) {
		t.Errorf("error %v", err)
	}
	for _, id := range []string{"", "a b", "a\nb", "ä", strings.Repeat("x", 129)} {
		if err := f.log.Follow(id, 0); !errors.Is(err, socketlog.ErrID) {
			t.Errorf("%q: error %v", id, err)
		}
	}
	for _, names := range [][]string{{"1/0"}, {"1/x"}, {"1/"}, {"1/-3"}, {"1/99999999999"}} {
		if _, _, err := socketlog.Parse(names); !errors.Is(err, socketlog.ErrRate) {
			t.Errorf("%q: error %v", names, err)
		}
	}
}

func TestPagesFollowListAndGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := serve(t)
		mux := http.NewServeMux()
		for _, p := range f.log.Pages() {
			mux.Handle(p.Pattern, p.Handler)
		}
		call := func(method, path string, code int) string {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(method, path, nil))
			if w.Code != code {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
			return w.Body.String()
		}
		a := f.Connect()
		path := "/debug/sockets/" + a.ID()
		call("PUT", path+"?for=1h", 204)
		call("PUT", "/debug/sockets/elsewhere", 204)
		var list []struct {
			ID        string
			Connected bool
			Until     time.Time
		}
		if err := json.Unmarshal([]byte(call("GET", "/debug/sockets", 200)), &list); err != nil || len(list) != 2 {
			t.Fatalf("%v %+v", err, list)
		}
		for _, e := range list {
			want := time.Now().Add(10 * time.Minute)
			if e.ID == a.ID() {
				want = time.Now().Add(time.Hour)
			}
			if e.Connected != (e.ID == a.ID()) || !e.Until.Equal(want) {
				t.Errorf("%+v", e)
			}
		}
		for _, bad := range []string{"?for=x", "?for=-1s", "?for=25h"} {
			call("PUT", path+bad, 400)
		}
		call("PUT", "/debug/sockets/a%20b", 400)
		call("DELETE", path, 204)
		call("DELETE", path, 404)
	})
}
