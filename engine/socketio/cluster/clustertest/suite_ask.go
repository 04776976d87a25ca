package clustertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// said is what answers say, sorted.
func said(answers []socketio.Answer[socketio.Args]) string {
	var list []string
	for _, a := range answers {
		list = append(list, fmt.Sprintf("%s%x", a.Value, a.Value.Attachments()))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func acknowledgements(h *hall) {
	for i, n := range h.at {
		wait := later(func() ([]socketio.Answer[socketio.Args], error) { return n.To().EmitWithAck(h.ctx(), "ask", i) })
		for k, m := range h.all() {
			m.expect("ask", i).Ack(k)
		}
		if got, err := wait(h); err != nil || said(got) != "[0][] [1][] [2][] [3][] [4][] [5][]" {
			h.Errorf("everyone: %s, %v", said(got), err)
		}
	}
	a, b := h.seats[0][0], h.seats[1][1]
	h.join(a, "some")
	h.join(b, "some")
	h.reaches("some", a, b)
	for _, n := range h.at {
		wait := later(func() ([]socketio.Answer[socketio.Args], error) {
			return n.To("some").Except(h.seats[2][0].ID()).EmitWithAck(h.ctx(), "bin", []byte{7})
		})
		a.expect("bin", []byte{7}).Ack([]byte{1, 2})
		b.expect("bin", []byte{7}).Ack(map[string]any{"x": []byte{3}})
		if got, err := wait(h); err != nil || said(got) != `[{"_placeholder":true,"num":0}][0102] [{"x":{"_placeholder":true,"num":0}}][03]` {
			h.Errorf("a room: %s, %v", said(got), err)
		}
		if got, err := n.To("nobody").EmitWithAck(h.ctx(), "nobody"); err != nil || len(got) != 0 {
			h.Errorf("nobody: %s, %v", said(got), err)
		}
		wait = later(func() ([]socketio.Answer[socketio.Args], error) { return n.To(b.ID()).EmitWithAck(h.ctx(), "one") })
		b.expect("one").Ack("yes")
		if got, err := wait(h); err != nil || said(got) != `["yes"][]` {
			h.Errorf("one: %s, %v", said(got), err)
		}
	}
	h.ok(h.at[0].Emit("done"))
	each(h.all(), "done")
}

// missingAcks has half of them answer: those count, and the others are known to be
// missing.
func missingAcks(h *hall) {
	for i, n := range h.at {
		ctx, cancel := context.WithCancelCause(h.ctx())
		got, missing, enough := 0, 0, make(chan struct{})
		done := later(func() (int, error) {
			for _, err := range n.To().AskAll(ctx, "ask", i) {
				switch {
				case err == nil:
					if got++; got == servers {
						close(enough)
					}
				case errors.Is(err, context.DeadlineExceeded):
					missing++
				default:
					return 0, err
				}
			}
			return got, nil
		})
		for _, row := range h.seats {
			row[0].expect("ask", i).Ack(i)
			row[1].expect("ask", i)
		}
		_, _ = later(func() (int, error) { <-enough; return 0, nil })(h)
		h.fence(h.all()...) // so that it is known how many there are
		cancel(context.DeadlineExceeded)
		if n, err := done(h); n != servers || missing != servers*(seats-1) || err != nil {
			h.Errorf("server %d: %d answers, %d missing: %v", i, n, missing, err)
		}
		cancel(nil)
	}
	// Whoever asks here only waits for nobody elsewhere.
	wait := later(func() ([]socketio.Answer[socketio.Args], error) { return h.at[1].Local().EmitWithAck(h.ctx(), "here") })
	for _, m := range h.seats[1] {
		m.expect("here").Ack()
	}
	if got, err := wait(h); err != nil || len(got) != seats {
		h.Errorf("local: %s, %v", said(got), err)
	}
	h.fence(h.all()...)
}

func serverSide(h *hall) {
	type heard struct {
		at   int
		what string
	}
	events := make(chan heard, 100)
	for i, n := range h.at {
		socketio.OnServerSide(n, socketio.Event[socketio.Args]("tell"), func(_ context.Context, a socketio.Args) error {
			events <- heard{i, fmt.Sprintf("%s%x", a, a.Attachments())}
			return nil
		})
		socketio.OnServerSideAck(n, socketio.Call[int, map[string]int]("double"), func(_ context.Context, x int) (map[string]int, error) {
			return map[string]int{"twice": 2 * x, "at": i}, nil
		})
	}
	for i, n := range h.at {
		h.ok(n.ServerSideEmit("tell", "x", i, map[string]any{"n": 1}))
		got := map[int]string{}
		for range servers - 1 {
			e, _ := later(func() (heard, error) { return <-events, nil })(h)
			got[e.at] = e.what
		}
		want := maps.Clone(got)
		for k := range servers {
			if delete(want, k); k != i {
				want[k] = fmt.Sprintf(`["x",%d,{"n":1}][]`, i)
			}
		}
		if !maps.Equal(got, want) {
			h.Errorf("from %d: %v", i, got)
		}
		answers, err := n.ServerSideEmitWithAck(h.ctx(), "double", 21)
		sum := 0
		for _, a := range answers {
			var v map[string]int
			if a.Args.Decode(&v) != nil || v["twice"] != 42 || v["at"] == i {
				h.Errorf("answer %v", a)
			}
			sum += v["at"]
		}
		if err != nil || len(answers) != servers-1 || sum != 0+1+2-i {
			h.Errorf("%v, %v", answers, err)
		}
	}
	h.fence(h.all()...)
}
