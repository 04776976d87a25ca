package interop_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// childVariable has the test's binary be one server of a fleet, in a process of its own that can be killed.
const childVariable = "FANFARE_INTEROP_SERVER"

// settings are what a child is told.
type settings struct {
	Name, Redis, Prefix, Mode string
	Recovery                  bool
}

// childServer is one of ours in a process of its own.
type childServer struct {
	nodeServer // which takes orders in the same way
}

func openChild(t *testing.T, name string, f *fleet) *childServer {
	t.Helper()
	text, err := json.Marshal(settings{Name: name, Redis: f.redis, Prefix: f.prefix, Mode: f.mode.name, Recovery: f.recovery})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	s := &childServer{nodeServer{name: name, program: clienttest.StartCommand(t, cmd)}}
	var opened struct{ URL string }
	s.program.Ask(t, &opened, "open", nil)
	s.address = opened.URL
	return s
}

// child is the other side: it answers lines of JSON until standard input ends.
func child(text string) int {
	var k settings
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return fail(err)
	}
	all := slices.Concat(modes, variants)
	m := all[slices.IndexFunc(all, func(m *mode) bool { return m.name == k.Mode })]
	s, err := startMember(k.Name, &fleet{mode: m, redis: k.Redis, prefix: k.Prefix, recovery: k.Recovery})
	if err != nil {
		return fail(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.connection.Wait(ctx); err != nil {
		return fail(err)
	}
	var out sync.Mutex
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		line := slices.Clone(lines.Bytes())
		go func() {
			answer := s.answer(line)
			out.Lock()
			defer out.Unlock()
			fmt.Printf("%s\n", answer)
		}()
	}
	if err := s.close(); err != nil {
		return fail(err)
	}
	return 0
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// answer is the answer to one line.
func (s *goServer) answer(line []byte) []byte {
	var request struct {
		ID    int             `json:"id"`
		Cmd   string          `json:"cmd"`
		Order json.RawMessage `json:"order"`
	}
	err := json.Unmarshal(line, &request)
	var r any = map[string]any{"url": s.url()}
	if err == nil && request.Cmd == "order" {
		r, err = s.obey(request.Order)
	}
	answer := map[string]any{"id": request.ID, "ok": err == nil, "result": r}
	if err != nil {
		answer["error"] = err.Error()
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return []byte(err.Error())
	}
	return text
}

// pump sends numbers, in their order, until it is halted.
type pump struct {
	sent atomic.Int64
	stop chan struct{}
	done chan struct{}
}

func (p *pump) start(n *socketio.Namespace, o *order) {
	p.stop, p.done = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(p.done)
		tick := time.NewTicker(time.Second / time.Duration(o.N))
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
				i := p.sent.Add(1) - 1
				_ = n.Emit(o.Event, append(slices.Clone(o.Args), i)...) // what is lost is what is measured
			}
		}
	}()
}

// halt returns how many were sent.
func (p *pump) halt() int {
	close(p.stop)
	<-p.done
	return int(p.sent.Load())
}
