package run

import (
	"time"

	"github.com/fanfare-go/fanfare/bench/loadgen/fleet"
	"github.com/fanfare-go/fanfare/bench/report"
)

// order is a line from the parent to a child; an answer is the line back.
type order struct {
	Op    op     `json:"op"`
	Setup *setup `json:"setup,omitempty"` // of opSetup
	Phase uint32 `json:"phase,omitempty"` // of opBroadcast: its number, from 1

	Rounds   int           `json:"rounds,omitempty"`   // how much, or
	Duration time.Duration `json:"duration,omitempty"` // how long
	Rate     float64       `json:"rate,omitempty"`     // this child's share; 0 is closed loop
}

// op is what a child is to do.
type op string

const (
	opSetup     op = "setup"     // be this child
	opOpen      op = "open"      // open all connections
	opClose     op = "close"     // and close them
	opReset     op = "reset"     // a phase is about to begin: count from 0
	opBroadcast op = "broadcast" // send or receive until the sender says that it is over
	opEcho      op = "echo"      // do round trips
	opHold      op = "hold"      // keep the connections open
	opDrain     op = "drain"     // see which slow ones the server has closed
	opPing      op = "ping"      // the bystander: an echo every few ms until opReset
)

// setup is who a child is.
type setup struct {
	Plan      *Plan `json:"plan"`
	Index     int   `json:"index"`
	Children  int   `json:"children"`
	First     int   `json:"first"` // its first connection in the run
	N         int   `json:"n"`     // and how many
	Inflight  int   `json:"inflight"`
	Bystander bool  `json:"bystander"`
}

// answer says what came in a phase, and what it cost the child.
type answer struct {
	Err string `json:"err,omitempty"`

	fleet.Counts
	Expected   uint64           `json:"expected"` // by this child alone: round trips, connections
	Lost       uint64           `json:"lost"`
	Heard      report.Histogram `json:"heard"`
	Begin      time.Duration    `json:"begin"` // of what was measured, on the monotonic clock
	End        time.Duration    `json:"end"`
	User       time.Duration    `json:"user"` // CPU since opReset
	System     time.Duration    `json:"system"`
	RSS        int64            `json:"rss"`
	Closed     int              `json:"closed"` // connections, by the server
	Reason     string           `json:"reason,omitempty"`
	SlowClosed int              `json:"slow_closed"`
}
