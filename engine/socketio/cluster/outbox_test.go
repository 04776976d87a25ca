package cluster_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// The order of what was not dropped is that of Push, whatever sending does; what is
// dropped is counted, volatile messages first; bounds hold.
func TestModelOfTheOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) {
			const most, mostBytes = 8, 40
			var (
				mu    sync.Mutex
				sent  []byte
				allow int // messages that may be sent
			)
			permit := func(n int) (have int) {
				mu.Lock()
				defer mu.Unlock()
				allow = n
				return len(sent)
			}
			o := cluster.NewOutbox(cluster.OutboxOptions{MaxMessages: most, MaxBytes: mostBytes, Batch: 3}, func(_ context.Context, batch []cluster.Outgoing) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				n := min(allow, len(batch))
				allow -= n
				for _, m := range batch[:n] {
					sent = append(sent, m.Body[0])
				}
				if n < len(batch) {
					return n, errors.New("no more")
				}
				return n, nil
			})
			// One message is on its way and fails, so that the others wait.
			o.Push(cluster.Outgoing{Body: []byte{255}})
			synctest.Wait()
			type waiting struct {
				name, size byte
				volatile   bool
			}
			var queue []waiting
			bytes := func() (n int) {
				for _, w := range queue {
					n += int(w.size)
				}
				return n
			}
			want, dropped, taken := []byte{}, 0, []byte{255}
			for name := range byte(rapid.IntRange(0, 30).Draw(rt, "messages")) {
				if rapid.IntRange(0, 3).Draw(rt, "send one") == 0 && len(taken) > 0 {
					permit(1)
					time.Sleep(2 * time.Second)
					synctest.Wait()
					want, taken = append(want, taken[0]), taken[1:]
					for len(taken) == 0 && len(queue) > 0 {
						for _, w := range queue[:min(3, len(queue))] {
							taken = append(taken, w.name)
						}
						queue = queue[len(taken):]
					}
				}
				w := waiting{name, byte(rapid.IntRange(1, 15).Draw(rt, "size")), rapid.Bool().Draw(rt, "volatile")}
				fits := func() bool { return len(queue) < most && bytes()+int(w.size) <= mostBytes }
				if !fits() && !w.volatile {
					before := len(queue)
					queue = slices.DeleteFunc(queue, func(w waiting) bool { return w.volatile })
					dropped += before - len(queue)
				}
				took := fits()
				idle := len(taken) == 0
				if took && idle {
					taken = append(taken, w.name)
				} else if took {
					queue = append(queue, w)
				} else {
					dropped++
				}
				if got := o.Push(cluster.Outgoing{Body: append([]byte{w.name}, make([]byte, w.size-1)...), Volatile: w.volatile}); got != took {
					rt.Fatalf("Push %+v: %v", w, got)
				}
				synctest.Wait()
				if st := o.Stats(); st.Waiting != len(queue) || st.WaitingBytes != bytes() || st.Dropped != uint64(dropped) || !st.Down {
					rt.Fatalf("%+v: %d wait, %d bytes, %d dropped", st, len(queue), bytes(), dropped)
				}
			}
			want = append(want, taken...)
			for _, w := range queue {
				want = append(want, w.name)
			}
			for permit(1) < len(want) {
				time.Sleep(time.Second)
			}
			permit(1000)
			if err := o.Close(context.Background()); err != nil || !slices.Equal(sent, want) {
				rt.Fatalf("sent %v, want %v: %v", sent, want, err)
			}
			if o.Push(cluster.Outgoing{Body: []byte{1}}) {
				rt.Fatal("pushed after Close")
			}
		})
	})
}

// What cannot be sent by the end of Close is given up.
func TestOutboxCloseGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := cluster.NewOutbox(cluster.OutboxOptions{}, func(ctx context.Context, _ []cluster.Outgoing) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		o.Push(cluster.Outgoing{Body: []byte{1}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := o.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || o.Stats().Sent != 0 {
			t.Error(err, o.Stats())
		}
	})
}

// A broker that is away must not make those slow who publish.
func BenchmarkOutboxFull(b *testing.B) {
	o := cluster.NewOutbox(cluster.OutboxOptions{}, func(ctx context.Context, batch []cluster.Outgoing) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
	defer func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = o.Close(ctx)
	}()
	body := make([]byte, 200)
	for o.Push(cluster.Outgoing{Body: body}) {
	}
	b.ReportAllocs()
	for b.Loop() {
		o.Push(cluster.Outgoing{Body: body})
	}
}
