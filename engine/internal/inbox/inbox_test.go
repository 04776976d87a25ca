package inbox_test

import (
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/fanfare-go/fanfare/engine/internal/inbox"
)

func TestOnlyTheFirstPushOfABurstWakes(t *testing.T) {
	var b inbox.Inbox[int]
	for i := range 5 {
		if wake, open := b.Push(i); wake != (i == 0) || !open {
			t.Errorf("push %d: wake %v, open %v", i, wake, open)
		}
	}
	if wake, _ := b.PushAll(5, 6); wake {
		t.Error("PushAll woke a consumer that was told already")
	}
	batch, more := b.Take(nil)
	if want := []int{0, 1, 2, 3, 4, 5, 6}; !slices.Equal(batch, want) || !more {
		t.Errorf("took %v, %v; want %v", batch, more, want)
	}
}

func TestConsumerStaysAwakeUntilItTakesNothing(t *testing.T) {
	var b inbox.Inbox[int]
	b.Push(1)
	batch, _ := b.Take(nil)
	if wake, _ := b.Push(2); wake {
		t.Error("woke a consumer at work")
	}
	batch, _ = b.Take(batch)
	if !slices.Equal(batch, []int{2}) {
		t.Errorf("took %v", batch)
	}
	batch, more := b.Take(batch)
	if more || len(batch) != 0 {
		t.Errorf("took %v, %v from an empty inbox", batch, more)
	}
	if wake, _ := b.Push(3); !wake {
		t.Error("did not wake a sleeping consumer")
	}
}

func TestAwakeSparesTheWake(t *testing.T) {
	var b inbox.Inbox[int]
	b.Awake()
	if wake, _ := b.Push(1); wake {
		t.Error("woke a running consumer")
	}
	if wake, _ := b.PushAll(2); wake {
		t.Error("PushAll woke a running consumer")
	}
	if n := b.Len(); n != 2 {
		t.Errorf("length %d", n)
	}
}

func TestPushingNothingWakesNobody(t *testing.T) {
	var b inbox.Inbox[int]
	if wake, open := b.PushAll(); wake || !open {
		t.Errorf("wake %v, open %v", wake, open)
	}
	if wake, _ := b.Push(1); !wake {
		t.Error("the first value did not wake")
	}
}

func TestCloseReturnsWhatIsLeftAndRefusesTheRest(t *testing.T) {
	var b inbox.Inbox[int]
	b.PushAll(1, 2)
	if left := b.Close(); !slices.Equal(left, []int{1, 2}) {
		t.Errorf("left %v", left)
	}
	if wake, open := b.Push(3); wake || open {
		t.Errorf("push after close: wake %v, open %v", wake, open)
	}
	if wake, open := b.PushAll(3); wake || open {
		t.Errorf("PushAll after close: wake %v, open %v", wake, open)
	}
	if batch, more := b.Take(nil); more || len(batch) != 0 || b.Len() != 0 {
		t.Errorf("took %v, %v after close", batch, more)
	}
	if left := b.Close(); left != nil {
		t.Errorf("second close left %v", left)
	}
}

func TestTakeClearsTheSpare(t *testing.T) {
	var b inbox.Inbox[*int]
	b.PushAll(new(int), new(int))
	batch, _ := b.Take(nil)
	b.Push(new(int))
	b.Take(batch)
	for i, p := range batch {
		if p != nil {
			t.Errorf("entry %d of the spare still refers to its value", i)
		}
	}
}

func TestABurstsMemoryIsGivenBack(t *testing.T) {
	const burst = 100_000
	var b inbox.Inbox[int]
	b.PushAll(make([]int, burst)...)
	batch, _ := b.Take(nil)
	b.PushAll(make([]int, burst)...) // the second buffer grows too
	batch, _ = b.Take(batch)
	batch, more := b.Take(batch)
	if more || cap(batch) > inbox.Keep || b.QueueCap() > inbox.Keep {
		t.Errorf("asleep with room for %d and %d entries, more %v", cap(batch), b.QueueCap(), more)
	}
}

func TestABurstsMemoryIsGivenBackByAConsumerThatNeverRests(t *testing.T) {
	var b inbox.Inbox[int]
	b.PushAll(make([]int, 100_000)...)
	var batch []int
	for range 4 {
		batch, _ = b.Take(batch)
		b.Push(1)
	}
	if cap(batch) > inbox.Keep || b.QueueCap() > inbox.Keep {
		t.Errorf("room for %d and %d entries", cap(batch), b.QueueCap())
	}
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	var b inbox.Inbox[int]
	var batch []int
	round := func() {
		for i := range 100 {
			b.Push(i)
		}
		for more := true; more; {
			batch, more = b.Take(batch)
		}
	}
	round()
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations per burst", n)
	}
}

// TestAgainstModel runs random sequences of all methods against a slice and a flag.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b inbox.Inbox[int]
		var queue, batch []int
		awake, closed, n := false, false, 0
		pushed := func(count int, wake, open bool) {
			if wantWake := count > 0 && !awake && !closed; wake != wantWake || open == closed {
				t.Fatalf("wake %v, open %v; want %v, %v", wake, open, wantWake, !closed)
			}
			if !closed && count > 0 {
				for range count {
					queue = append(queue, n)
					n++
				}
				awake = true
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"push": func(*rapid.T) {
				wake, open := b.Push(n)
				pushed(1, wake, open)
			},
			"pushAll": func(t *rapid.T) {
				vs := make([]int, rapid.IntRange(0, 5).Draw(t, "count"))
				for i := range vs {
					vs[i] = n + i
				}
				wake, open := b.PushAll(vs...)
				pushed(len(vs), wake, open)
			},
			"awake": func(*rapid.T) { b.Awake(); awake = true },
			"take": func(t *rapid.T) {
				var more bool
				batch, more = b.Take(batch)
				if !slices.Equal(batch, queue) || more != (len(queue) > 0) {
					t.Fatalf("took %v, %v; want %v", batch, more, queue)
				}
				awake = more
				queue = nil
			},
			"close": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "rarely") > 0 {
					return
				}
				if left := b.Close(); !slices.Equal(left, queue) {
					t.Fatalf("left %v; want %v", left, queue)
				}
				queue, closed = nil, true
			},
			"": func(t *rapid.T) {
				if b.Len() != len(queue) {
					t.Fatalf("length %d; want %d", b.Len(), len(queue))
				}
			},
		})
	})
}

// TestManyProducersLoseNothing has a consumer that runs only when a wake tells it to, and goes to sleep by the rule. A push that woke
// nobody and was not seen either would leave it waiting for ever.
func TestManyProducersLoseNothing(t *testing.T) {
	const producers, each = 8, 5000
	type value struct{ producer, n int }
	var b inbox.Inbox[value]
	wakes := make(chan struct{}, producers*each)
	var all sync.WaitGroup
	for p := range producers {
		all.Go(func() {
			for n := range each {
				if wake, open := b.Push(value{p, n}); wake {
					wakes <- struct{}{}
				} else if !open {
					t.Error("closed")
				}
			}
		})
	}
	var next [producers]int
	woken, taken := 0, 0
	for batch := []value(nil); taken < producers*each; {
		<-wakes
		woken++
		for more := true; more; {
			batch, more = b.Take(batch)
			taken += len(batch)
			for _, v := range batch {
				if v.n != next[v.producer] {
					t.Fatalf("producer %d: got %d, want %d", v.producer, v.n, next[v.producer])
				}
				next[v.producer]++
			}
		}
	}
	all.Wait()
	if left := len(wakes); left != 0 {
		t.Errorf("%d wakes too many", left)
	}
	t.Logf("%d values, %d wakes", taken, woken)
}

// TestCloseLosesNothing closes while producers push: each value is either taken, left, or refused.
func TestCloseLosesNothing(t *testing.T) {
	const producers, each = 4, 2000
	var b inbox.Inbox[int]
	var all sync.WaitGroup
	refused := make([]int, producers)
	start := make(chan struct{})
	for p := range producers {
		all.Go(func() {
			<-start
			for n := range each {
				if _, open := b.Push(n); !open {
					refused[p]++
				}
			}
		})
	}
	close(start)
	batch, _ := b.Take(nil)
	got := len(batch) + len(b.Close())
	all.Wait()
	for _, n := range refused {
		got += n
	}
	if got != producers*each {
		t.Errorf("%d of %d values accounted for", got, producers*each)
	}
}
