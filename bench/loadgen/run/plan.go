package run

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/bench/loadgen/fleet"
)

// perProcess is how many connections a process opens unless told otherwise: below
// a descriptor limit of 20,000.
const perProcess = 18_000

// Plan is what to do; its tags are the command line (kong). Zero means the default
// that Complete fills in.
type Plan struct {
	Scenario string `arg:"" enum:"broadcast,echo,connect,idle,slow" help:"broadcast, echo, connect, idle or slow."`

	URL         []string `required:"" name:"url" placeholder:"ws://127.0.0.1:PORT" help:"Server; repeat it or separate by commas to spread the connections evenly."`
	Dialect     string   `default:"socketio" enum:"socketio,raw,centrifuge" help:"What the server speaks: socketio, raw or centrifuge."`
	Connections int      `default:"1000" help:"Connections, over all servers and processes."`
	Payload     int      `default:"128" help:"Bytes of text in one message; the sequence number and time in it need 22."`
	Backlog     int      `default:"1" help:"Broadcasts sent at once, in one write."`

	Rounds      int           `help:"How often: batches of broadcast and slow, round trips per connection of echo, storms of connect."`
	Duration    time.Duration `help:"How long, instead of --rounds; default 5s (idle 10s)."`
	Warmup      int           `default:"1" help:"Rounds before the measured ones."`
	Rate        float64       `help:"Open loop: batches, round trips or dials per second, each late from when it was due; default: the next when the last is done (slow: 10)."`
	Inflight    int           `default:"64" help:"Round trips of echo at the same time, on as many connections."`
	Concurrency int           `default:"64" help:"Dials at the same time, per process."`
	Slow        Share         `default:"1%" placeholder:"1%" help:"Connections that stop reading (slow): a share or a number."`
	Bystander   bool          `help:"Broadcast and slow: one more client, in a process of its own, measures an echo every 5ms."`
	Cluster     bool          `help:"The servers are one cluster: a broadcast sent to the first reaches the clients of all."`

	Processes    int           `help:"Client processes; default: one for every 18,000 connections."`
	Sources      string        `default:"127.0.0.2-127.0.0.9" help:"Addresses to connect from (IPv4 range); each has some 28,000 ports for each server."`
	CPUs         string        `name:"cpus" placeholder:"LIST" help:"CPUs the clients may use, such as 1 or 2,4-7."`
	PollInterval time.Duration `default:"1ms" help:"Least time between looks at the connections, so that the server pays no wake-up per frame; 0 wakes at once."`
	Stall        time.Duration `default:"20s" help:"Give up when nothing has arrived for so long."`

	ServerPID  []int  `name:"server-pid" help:"Processes of the server, whose CPU and memory are measured."`
	ServerCPUs int    `name:"server-cpus" help:"CPUs the server may use; default: all."`
	ServerName string `name:"server-name" help:"Name of the server in the result; default: the dialect."`

	Command string `kong:"-"` // that was typed
}

// Complete fills in what depends on something else, and says what cannot be.
func (p *Plan) Complete() error {
	switch {
	case p.Connections < 1 || p.Backlog < 1 || p.Inflight < 1 || p.Concurrency < 1:
		return errors.New("loadgen: --connections, --backlog, --inflight and --concurrency must be at least 1")
	case p.Payload < fleet.MinText:
		return fmt.Errorf("loadgen: --payload must be at least %d: a sequence number and a time are in it", fleet.MinText)
	case p.Rounds < 0 || p.Duration < 0 || p.Warmup < 0 || p.Rate < 0 || p.Processes < 0 || p.PollInterval < 0 || p.ServerCPUs < 0:
		return errors.New("loadgen: no flag may be negative")
	case p.Rounds > 0 && p.Duration > 0:
		return errors.New("loadgen: give --rounds or --duration, not both")
	case p.Stall <= 0:
		return errors.New("loadgen: --stall must be more than 0, such as 20s")
	case p.Bystander && p.Scenario != "broadcast" && p.Scenario != "slow":
		return fmt.Errorf("loadgen: --bystander is for broadcast and slow, not for %s", p.Scenario)
	}
	if err := p.checkURLs(); err != nil {
		return err
	}
	if _, err := fleet.ParseSources(p.Sources); err != nil {
		return err
	}
	if _, err := parseCPUs(p.CPUs); err != nil {
		return err
	}
	p.fill()
	return p.checkShares()
}

func (p *Plan) checkURLs() error {
	for i, text := range p.URL {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "ws" || u.Port() == "" || strings.Trim(u.Path, "/") != "" {
			return fmt.Errorf("loadgen: --url %q: give ws://ADDRESS:PORT", text)
		}
		p.URL[i] = u.Scheme + "://" + u.Host
	}
	return nil
}

func (p *Plan) fill() {
	if p.Processes == 0 {
		p.Processes = (p.Connections + perProcess - 1) / perProcess
	}
	if p.Rounds == 0 && p.Duration == 0 {
		switch p.Scenario {
		case "connect":
			p.Rounds = 1
		case "idle":
			p.Duration = 10 * time.Second
		default:
			p.Duration = 5 * time.Second
		}
	}
	if p.Scenario == "slow" && p.Rate == 0 {
		p.Rate = 10
	}
	if p.Scenario != "slow" {
		p.Slow = Share{}
	}
	if p.ServerName == "" {
		p.ServerName = p.Dialect
	}
}

func (p *Plan) checkShares() error {
	smallest := p.Connections / p.Processes
	switch {
	case smallest < len(p.URL):
		return fmt.Errorf("loadgen: %d connections in %d processes are too few for %d servers", p.Connections, p.Processes, len(p.URL))
	case p.Scenario == "echo" && p.Inflight < p.Processes:
		return fmt.Errorf("loadgen: --inflight %d is less than one for each of %d processes", p.Inflight, p.Processes)
	case p.Scenario == "slow" && p.Slow.Of(p.Connections) > p.Connections-len(p.URL):
		return errors.New("loadgen: --slow leaves no connection that reads")
	case p.Scenario == "connect" && p.Duration > 0:
		return errors.New("loadgen: connect takes --rounds, not --duration")
	case p.Scenario == "idle" && p.Rounds > 0:
		return errors.New("loadgen: idle takes --duration, not --rounds")
	}
	return nil
}

// Share is a part of the connections: "1%" or a number of them.
type Share struct {
	Percent float64
	Count   int
}

// UnmarshalText reads a share from the command line.
func (s *Share) UnmarshalText(text []byte) (err error) {
	percent, isPercent := strings.CutSuffix(string(text), "%")
	if isPercent {
		s.Percent, err = strconv.ParseFloat(percent, 64)
	} else {
		s.Count, err = strconv.Atoi(percent)
	}
	if err != nil || s.Count < 0 || !(s.Percent >= 0 && s.Percent <= 100) {
		return fmt.Errorf("%q is neither a share such as 1%% nor a number", text)
	}
	return nil
}

// Of is how many of n.
func (s Share) Of(n int) int {
	return s.Count + int(math.Round(s.Percent*float64(n)/100))
}

// MarshalText writes what UnmarshalText reads.
func (s Share) MarshalText() ([]byte, error) {
	if s.Count > 0 {
		return strconv.AppendInt(nil, int64(s.Count), 10), nil
	}
	return append(strconv.AppendFloat(nil, s.Percent, 'g', -1, 64), '%'), nil
}
