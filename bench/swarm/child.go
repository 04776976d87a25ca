package swarm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// childVariable marks the process that is to be the swarm.
const childVariable = "FANFARE_BENCH_SWARM"

// bellFD is where the swarm finds its end of the bell: the first descriptor after
// the standard ones.
const bellFD = 3

// Main is the swarm, in the process that Start started: it serves orders until its
// input ends, and does not return. Elsewhere it does nothing.
func Main() {
	if os.Getenv(childVariable) == "" {
		return
	}
	if err := serve(os.Stdin, os.Stdout, os.NewFile(bellFD, "bell")); err != nil {
		fmt.Fprintln(os.Stderr, "swarm:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serve(in io.Reader, out, bell io.Writer) error {
	c, err := newClients(bell)
	if err != nil {
		return err
	}
	go c.work()
	dec, enc := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var o order
		if err := dec.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := enc.Encode(c.carryOut(o)); err != nil {
			return err
		}
	}
}

// carryOut does what an order says. What goes wrong between orders is told with
// the next one.
func (c *clients) carryOut(o order) (a answer) {
	var err error
	switch o.Op {
	case "open":
		err = c.open(o)
	case "drop":
		c.drop()
	case "expect":
		c.expect(uint64(o.N), o.Times)
	case "trips":
		err = c.begin(o.Trips)
	case "halt":
		a.Latency = c.halt()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err = errors.Join(err, c.failed); err != nil {
		a.Err = err.Error()
	}
	a.Arrived, c.failed = c.arrived, nil
	return a
}
