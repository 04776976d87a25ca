package socketio_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"pgregory.net/rapid"
)

func newPool(t *testing.T, limit int) socketio.Pool {
	t.Helper()
	p, err := socketio.NewPool(limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestOneBlockedWorkerHoldsTheOthersBack(t *testing.T) {
	p := newPool(t, 1)
	entered, open := make(chan bool), make(chan bool)
	p.Schedule(&socketio.Job{Work: func(int) bool { entered <- true; <-open; return false }})
	receive(t, entered)
	order := make(chan int, 10)
	for i := range 10 {
		p.Schedule(&socketio.Job{Work: func(int) bool { order <- i; return false }})
	}
	if busy, waiting := p.Load(); busy != 1 || waiting != 10 {
		t.Fatalf("busy %d, waiting %d", busy, waiting)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.Wait(ctx); err == nil {
		t.Fatal("Wait does not wait")
	}
	close(open)
	for i := range 10 {
		if got := receive(t, order); got != i {
			t.Fatalf("job %d ran in place of %d", got, i)
		}
	}
	if err := p.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// Every job that is scheduled runs, however the ends of workers and the
// schedulings of others fall: the last look into the queue is what could miss one.
func TestNoWakeUpIsLost(t *testing.T) {
	for _, limit := range []int{1, 2, 7} {
		p := newPool(t, limit)
		var done sync.WaitGroup
		var running, most atomic.Int32
		const producers, each = 8, 5_000
		for range producers {
			done.Add(each)
			go func() {
				for range each {
					p.Schedule(&socketio.Job{Work: func(int) bool {
						n := running.Add(1)
						for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
						}
						running.Add(-1)
						done.Done()
						return false
					}})
				}
			}()
		}
		done.Wait()
		if n := int(most.Load()); n > limit {
			t.Errorf("%d workers, limit %d", n, limit)
		}
	}
}

func TestJobsWithMoreTakeTurns(t *testing.T) {
	p := newPool(t, 1)
	entered, open := make(chan bool), make(chan bool)
	p.Schedule(&socketio.Job{Work: func(int) bool { entered <- true; <-open; return false }})
	receive(t, entered)
	turns := make(chan string, 6)
	for _, name := range []string{"a", "b"} {
		left := 3
		p.Schedule(&socketio.Job{Work: func(n int) bool {
			if n != socketio.FairShare {
				t.Errorf("share of %d", n)
			}
			turns <- name
			left--
			return left > 0
		}})
	}
	close(open)
	got := ""
	for range 6 {
		got += receive(t, turns)
	}
	if got != "ababab" {
		t.Errorf("turns: %s", got)
	}
}

func TestWorkerThatEndsItsGoroutineIsReplaced(t *testing.T) {
	p := newPool(t, 1)
	again := make(chan bool, 1)
	first := true
	p.Schedule(&socketio.Job{Work: func(int) bool {
		if first {
			first = false
			runtime.Goexit()
		}
		again <- true
		return false
	}})
	receive(t, again)
	other := make(chan bool)
	p.Schedule(&socketio.Job{Work: func(int) bool { other <- true; return false }})
	receive(t, other)
}

func TestClosedPoolAbandons(t *testing.T) {
	p, err := socketio.NewPool(1)
	if err != nil {
		t.Fatal(err)
	}
	entered, open, abandoned := make(chan bool), make(chan bool), make(chan string, 3)
	job := func(name string) *socketio.Job {
		return &socketio.Job{
			Work:    func(int) bool { entered <- true; <-open; return true },
			Abandon: func() { abandoned <- name },
		}
	}
	p.Schedule(job("running"))
	receive(t, entered)
	p.Schedule(job("waiting"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if p.Close(ctx) == nil {
		t.Error("Close did not wait for the handler")
	}
	p.Schedule(job("late"))
	if a, b := receive(t, abandoned), receive(t, abandoned); a != "waiting" || b != "late" {
		t.Errorf("abandoned %s, %s", a, b)
	}
	close(open)
	if got := receive(t, abandoned); got != "running" {
		t.Errorf("abandoned %s", got)
	}
	if err := p.Wait(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestFIFO(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q socketio.FIFO
		var model []int
		next := 0
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				for range rapid.IntRange(1, 9).Draw(t, "n") {
					q.Push(next)
					model = append(model, next)
					next++
				}
			},
			"pop": func(t *rapid.T) {
				v, ok := q.Pop()
				if ok != (len(model) > 0) || ok && v != model[0] {
					t.Fatalf("pop = %d, %v; model %v", v, ok, model)
				}
				if ok {
					model = model[1:]
				}
			},
			"": func(t *rapid.T) {
				if q.Len() != len(model) {
					t.Fatalf("len %d, model %d", q.Len(), len(model))
				}
			},
		})
	})
}

func BenchmarkPool(b *testing.B) {
	p, err := socketio.NewPool(64)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	done := make(chan bool, 1)
	j := &socketio.Job{Work: func(int) bool { done <- true; return false }}
	for b.Loop() {
		p.Schedule(j)
		<-done
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = p.Close(ctx)
}
