package clienttest

import (
	"encoding/json"
	"maps"
	"testing"
)

// Group is many clients that do the same thing at the same time.
type Group struct {
	t       testing.TB
	driver  *Driver
	numbers []int
}

// ConnectMany opens n clients in one burst and fails the test unless the server accepts all of them.
func (d *Driver) ConnectMany(t testing.TB, n int, o ClientOptions) *Group {
	t.Helper()
	fields := o.fields()
	fields["n"] = n
	var result struct {
		Clients []int    `json:"clients"`
		Errors  []string `json:"errors"`
	}
	d.ask(t, &result, "many", fields)
	t.Cleanup(func() { _, _ = d.process.call("drop", map[string]any{"c": result.Clients}) })
	if len(result.Errors) > 0 {
		t.Fatalf("%d of %d clients were not accepted, the first: %s", len(result.Errors), n, result.Errors[0])
	}
	return &Group{t: t, driver: d, numbers: result.Clients}
}

// Group makes one of clients that are connected already.
func (d *Driver) Group(t testing.TB, clients ...*Client) *Group {
	g := &Group{t: t, driver: d}
	for _, c := range clients {
		g.numbers = append(g.numbers, c.number)
	}
	return g
}

func (g *Group) ask(result any, cmd string, fields map[string]any) {
	g.t.Helper()
	all := map[string]any{"c": g.numbers}
	maps.Copy(all, fields)
	g.driver.ask(g.t, result, cmd, all)
}

// Len returns the number of clients.
func (g *Group) Len() int { return len(g.numbers) }

// At returns one client of the group.
func (g *Group) At(i int) *Client {
	return &Client{t: g.t, driver: g.driver, number: g.numbers[i]}
}

// Emit sends the same event from every client.
func (g *Group) Emit(event string, args ...any) {
	g.t.Helper()
	g.ask(nil, "emit", map[string]any{"event": event, "args": list(args)})
}

// EmitAck sends the same event from every client and returns each one's acknowledgement.
func (g *Group) EmitAck(event string, args ...any) [][]json.RawMessage {
	g.t.Helper()
	var acks [][]json.RawMessage
	g.ask(&acks, "emitAck", map[string]any{"event": event, "args": list(args)})
	return acks
}

// Wait takes the next n occurrences of an event at every client: first index the client, second the occurrence.
func (g *Group) Wait(event string, n int) [][][]json.RawMessage {
	g.t.Helper()
	var got [][][]json.RawMessage
	g.ask(&got, "wait", map[string]any{"event": event, "count": n})
	return got
}

// Drain takes everything that every client has received and that was not taken yet, by event.
func (g *Group) Drain() []map[string][][]json.RawMessage {
	g.t.Helper()
	var got []map[string][][]json.RawMessage
	g.ask(&got, "drain", nil)
	return got
}

// WaitUpgrade waits until every client has left polling.
func (g *Group) WaitUpgrade() {
	g.t.Helper()
	g.ask(nil, "waitUpgrade", nil)
}

// States asks every client for its state.
func (g *Group) States() []State {
	g.t.Helper()
	var states []State
	g.ask(&states, "state", nil)
	return states
}

// WaitDisconnect takes every client's next disconnect event and counts the reasons.
func (g *Group) WaitDisconnect() map[string]int {
	g.t.Helper()
	var got [][]Disconnect
	g.ask(&got, "wait", map[string]any{"event": "$disconnect", "count": 1})
	reasons := map[string]int{}
	for _, d := range got {
		reasons[d[0].Reason]++
	}
	return reasons
}

// WaitReconnect takes every client's next connect event.
func (g *Group) WaitReconnect() {
	g.t.Helper()
	g.ask(nil, "wait", map[string]any{"event": "$connect", "count": 1})
}

// Disconnect lets every client leave.
func (g *Group) Disconnect() {
	g.t.Helper()
	g.ask(nil, "disconnect", nil)
}
