package run_test

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/bench/loadgen/run"
	"github.com/fanfare-go/fanfare/bench/report"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	run.Child()
	goleak.VerifyTestMain(m, // ants' default pool, which engine/socketio does not use, lives as long as the process
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}

// members is how many connections the tests open.
const members = 50

// plan is a small run; what is in change comes on top.
func plan(scenario, url string, change func(*run.Plan)) *run.Plan {
	p := &run.Plan{
		Scenario: scenario, URL: strings.Split(url, ","), Dialect: "socketio", Connections: members, Payload: 64,
		Backlog: 1, Rounds: 20, Warmup: 1, Inflight: 8, Concurrency: 16, Slow: run.Share{Percent: 10},
		Sources: "127.0.0.2-127.0.0.3", PollInterval: time.Millisecond, Stall: 20 * time.Second,
	}
	if change != nil {
		change(p)
	}
	return p
}

func mustRun(t *testing.T, p *run.Plan) *report.Result {
	t.Helper()
	if err := p.Complete(); err != nil {
		t.Fatal(err)
	}
	r, err := run.Run(p, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// complete wants so many deliveries, all of them, with a latency each.
func complete(t *testing.T, r *report.Result, want uint64) {
	t.Helper()
	if !r.Deliveries.Complete() || r.Deliveries.Expected != want {
		t.Fatalf("%+v, want %d", r.Deliveries, want)
	}
	heard := uint64(0)
	for _, b := range r.Latency.Buckets {
		heard += b.Count
	}
	if heard != want || r.Latency.Max <= 0 || r.Seconds <= 0 {
		t.Fatalf("%d latencies up to %v µs in %v s, want %d", heard, r.Latency.Max, r.Seconds, want)
	}
	if r.ClientUsage.CPU() <= 0 || r.ClientUsage.RSS <= 0 {
		t.Fatalf("the clients used nothing: %+v", r.ClientUsage)
	}
}

func TestBroadcastReachesEverybody(t *testing.T) {
	url := startSocketIO(t, socketio.Options{})
	r := mustRun(t, plan("broadcast", url, func(p *run.Plan) { p.Backlog, p.ServerPID = 3, []int{os.Getpid()} }))
	complete(t, r, members*20*3)
	if u := r.ServerUsage; u.CPU() <= 0 || u.Busy <= 0 || u.PerUnit <= 0 || u.RSS <= 0 || u.RSSBefore <= 0 {
		t.Errorf("the server used nothing: %+v", u)
	}
	if r.Saturated == "" || r.Scenario != "broadcast" || r.Connections != members || r.Backlog != 3 || r.Payload != 64 {
		t.Errorf("%+v", r)
	}
}

func TestBroadcastByRateWithProcessesAndABystander(t *testing.T) {
	url := startSocketIO(t, socketio.Options{})
	r := mustRun(t, plan("broadcast", url, func(p *run.Plan) {
		p.Processes, p.Rate, p.Bystander = 3, 200, true
	}))
	complete(t, r, members*20)
	if r.Seconds < 19.0/200 {
		t.Errorf("20 batches at 200 a second took %v s", r.Seconds)
	}
	if r.Bystander == nil || r.Bystander.Max <= 0 {
		t.Errorf("bystander: %+v", r.Bystander)
	}
}

func TestConnectionsAreSpreadOverServers(t *testing.T) {
	urls := startSocketIO(t, socketio.Options{}) + "," + startSocketIO(t, socketio.Options{})
	complete(t, mustRun(t, plan("broadcast", urls, nil)), members*20)
}

func TestEchoComesBack(t *testing.T) {
	url := startSocketIO(t, socketio.Options{})
	complete(t, mustRun(t, plan("echo", url, nil)), members*20)
	complete(t, mustRun(t, plan("echo", url, func(p *run.Plan) {
		p.Processes, p.Rate, p.Rounds, p.PollInterval = 2, 2000, 10, 0
	})), members*10)
}

func TestConnectCountsHandshakes(t *testing.T) {
	url := startSocketIO(t, socketio.Options{})
	complete(t, mustRun(t, plan("connect", url, func(p *run.Plan) { p.Rounds = 3 })), members*3)
	complete(t, mustRun(t, plan("connect", url, func(p *run.Plan) { p.Rounds, p.Rate = 1, 1000 })), members)
}

func TestIdleConnectionsAnswerHeartbeats(t *testing.T) {
	url := startSocketIO(t, socketio.Options{PingInterval: 200 * time.Millisecond, PingTimeout: 200 * time.Millisecond})
	r := mustRun(t, plan("idle", url, func(p *run.Plan) {
		p.Rounds, p.Duration, p.ServerPID = 0, time.Second, []int{os.Getpid()}
	}))
	if !r.Deliveries.Complete() || r.Deliveries.Delivered != members || r.Memory == nil || r.Memory.RSS == 0 {
		t.Fatalf("%+v %+v", r.Deliveries, r.Memory)
	}
}

func TestSlowConnectionsAreClosedAndTheOthersServed(t *testing.T) {
	url := startSocketIO(t, socketio.Options{MaxQueued: 64})
	r := mustRun(t, plan("slow", url, func(p *run.Plan) {
		p.Payload, p.Rate, p.Rounds = 16<<10, 100, 150
	}))
	complete(t, r, (members-5)*150)
	if *r.Slow != (report.Slow{Connections: 5, Closed: 5}) {
		t.Fatalf("%+v", r.Slow)
	}
}

func TestRawAndCentrifugeAreSpoken(t *testing.T) {
	for dialect, protocol := range map[string]func(*tiny, *peer, string){"raw": rawProtocol, "centrifuge": centrifugeProtocol} {
		t.Run(dialect, func(t *testing.T) {
			url := startTiny(t, protocol)
			speak := func(p *run.Plan) { p.Dialect = dialect }
			complete(t, mustRun(t, plan("echo", url, speak)), members*20)
		})
		t.Run(dialect+" broadcast", func(t *testing.T) {
			url := startTiny(t, protocol)
			complete(t, mustRun(t, plan("broadcast", url, func(p *run.Plan) { p.Dialect, p.Backlog = dialect, 2 })), members*20*2)
		})
	}
}

func TestFaultsOfTheServerAreCounted(t *testing.T) {
	var held string
	for name, c := range map[string]struct {
		fault func(s *tiny, text string)
		want  report.Count
	}{
		"lost": {func(*tiny, string) {}, report.Count{Lost: members}},
		"lost on one": {
			func(s *tiny, text string) {
				for _, p := range s.peers[1:] {
					p.say(text)
				}
			}, report.Count{Lost: 1},
		},
		"doubled": {
			func(s *tiny, text string) { s.all(text); s.peers[7].say(text) }, report.Count{Doubled: 1},
		},
		"closed": {
			func(s *tiny, _ string) {
				for _, p := range s.peers {
					_ = p.Close()
				}
			}, report.Count{Lost: 2 * members}, // the batch: nothing is sent to nobody
		},
		"disordered": {
			func(_ *tiny, text string) { held = text }, report.Count{Disordered: members},
		},
	} {
		t.Run(name, func(t *testing.T) {
			protocol := faulty(c.fault)
			url := startTiny(t, func(s *tiny, from *peer, m string) {
				protocol(s, from, m)
				if held != "" && s.sent == 6 {
					s.all(held)
					held = ""
				}
			})
			r := mustRun(t, plan("broadcast", url, func(p *run.Plan) {
				p.Dialect, p.Rounds, p.Warmup, p.Backlog, p.Stall = "raw", 4, 0, 2, 200*time.Millisecond
			}))
			got := r.Deliveries
			got.Expected, got.Delivered = 0, 0
			if got != c.want {
				t.Errorf("%+v, want %+v", r.Deliveries, c.want)
			}
			if r.Deliveries.Complete() {
				t.Error("that is not complete")
			}
		})
	}
}

func TestWrongServersAreNamed(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close() //nolint:errcheck // nothing was written
	for name, c := range map[string]struct {
		url, want string
		change    func(*run.Plan)
	}{
		"nobody listens":   {"ws://127.0.0.1:1", "connection refused", nil},
		"a page":           {startPage(t), "does not upgrade", nil},
		"another dialect":  {startSocketIO(t, socketio.Options{}), "404", func(p *run.Plan) { p.Dialect = "raw" }},
		"silence":          {"ws://" + silent.Addr().String(), "no handshake", func(p *run.Plan) { p.Stall = 100 * time.Millisecond }},
		"no such process":  {startSocketIO(t, socketio.Options{}), "--server-pid", func(p *run.Plan) { p.ServerPID = []int{1 << 30} }},
		"no such CPU":      {"ws://127.0.0.1:1", "CPUs [1000]", func(p *run.Plan) { p.CPUs = "1000" }},
		"a foreign source": {startSocketIO(t, socketio.Options{}), "cannot connect from", func(p *run.Plan) { p.Sources = "192.0.2.1" }},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan("broadcast", c.url, c.change)
			p.Processes = 2
			if err := p.Complete(); err != nil {
				t.Fatal(err)
			}
			_, err := run.Run(p, io.Discard)
			if err == nil || !strings.HasPrefix(err.Error(), "loadgen: ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want one line with %q", err, c.want)
			}
		})
	}
}

func TestPlansThatCannotBeAreRefused(t *testing.T) {
	for want, change := range map[string]func(*run.Plan){
		"--url":               func(p *run.Plan) { p.URL = []string{"http://127.0.0.1:80"} },
		"--payload":           func(p *run.Plan) { p.Payload = 10 },
		"--rounds or --dur":   func(p *run.Plan) { p.Duration = time.Second },
		"--sources":           func(p *run.Plan) { p.Sources = "127.0.0.9-127.0.0.2" },
		"--cpus":              func(p *run.Plan) { p.CPUs = "1-" },
		"--bystander":         func(p *run.Plan) { p.Scenario, p.Bystander = "idle", true },
		"--slow":              func(p *run.Plan) { p.Scenario, p.Slow = "slow", run.Share{Percent: 100} },
		"--inflight":          func(p *run.Plan) { p.Scenario, p.Inflight, p.Processes = "echo", 1, 2 },
		"too few for 2":       func(p *run.Plan) { p.URL = append(p.URL, "ws://127.0.0.1:2"); p.Processes = members },
		"--connections":       func(p *run.Plan) { p.Connections = 0 },
		"negative":            func(p *run.Plan) { p.Rate = -1 },
		"--stall":             func(p *run.Plan) { p.Stall = 0 },
		"takes --rounds, not": func(p *run.Plan) { p.Scenario, p.Rounds, p.Duration = "connect", 0, time.Second },
		"takes --duration,":   func(p *run.Plan) { p.Scenario = "idle" },
	} {
		p := plan("broadcast", "ws://127.0.0.1:1", change)
		if err := p.Complete(); err == nil || !strings.HasPrefix(err.Error(), "loadgen: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
