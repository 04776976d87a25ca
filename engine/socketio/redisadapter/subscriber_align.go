package redisadapter

import (
	"slices"

	"github.com/redis/rueidis"
)

// align makes what is subscribed to what is wanted.
func (s *subscriber) align(d rueidis.DedicatedClient, present map[subscription]bool) error {
	add, remove := s.difference(present)
	for _, counted := range []bool{true, false} {
		for kind := range kinds {
			if err := s.each(d, remove[kind], counted, unsubscribe[kind]); err != nil {
				return err
			}
		}
	}
	for _, counted := range []bool{false, true} {
		for kind := range kinds {
			if err := s.each(d, add[kind], counted, subscribe[kind]); err != nil {
				return err
			}
		}
	}
	s.settle()
	return nil
}

// difference takes what is to be done, and notes it in present as done.
func (s *subscriber) difference(present map[subscription]bool) (add, remove [kinds][]subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range s.dirty {
		switch wanted := s.wanted[n] != nil; {
		case wanted && !present[n]:
			add[n.kind] = append(add[n.kind], n)
			present[n] = true
		case !wanted && present[n]:
			remove[n.kind] = append(remove[n.kind], n)
			delete(present, n)
		}
	}
	clear(s.dirty)
	return add, remove
}

// namesAtOnce are those that one answer is waited for.
const namesAtOnce = 256

// together is how many names may be in one command: a Redis Cluster wants those of one
// slot only.
func (s *subscriber) together(kind subscriptionKind) int {
	if s.clustered && kind == shardKind {
		return 1
	}
	return namesAtOnce
}

type command func(b rueidis.Builder, names []string) rueidis.Completed

var subscribe = [kinds]command{
	channelKind: func(b rueidis.Builder, names []string) rueidis.Completed {
		return b.Subscribe().Channel(names...).Build()
	},
	patternKind: func(b rueidis.Builder, names []string) rueidis.Completed {
		return b.Psubscribe().Pattern(names...).Build()
	},
	shardKind: func(b rueidis.Builder, names []string) rueidis.Completed {
		return b.Ssubscribe().Channel(names...).Build()
	},
}

var unsubscribe = [kinds]command{
	channelKind: func(b rueidis.Builder, names []string) rueidis.Completed {
		return b.Unsubscribe().Channel(names...).Build()
	},
	patternKind: func(b rueidis.Builder, names []string) rueidis.Completed {
		return b.Punsubscribe().Pattern(names...).Build()
	},
	shardKind: func(b rueidis.Builder, names []string) rueidis.Completed {
		return b.Sunsubscribe().Channel(names...).Build()
	},
}

// each has Redis do one thing with those of the names that are counted, or are not.
func (s *subscriber) each(d rueidis.DedicatedClient, all []subscription, counted bool, do command) error {
	var names []string
	flush := func() error {
		if len(names) == 0 {
			return nil
		}
		cmds := []rueidis.Completed{}
		for part := range slices.Chunk(names, s.together(all[0].kind)) {
			cmds = append(cmds, do(d.B(), part))
		}
		names = nil
		return s.do(d, cmds...)
	}
	for _, n := range all {
		if n.counted != counted {
			continue
		}
		if names = append(names, n.name); len(names) == namesAtOnce {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}
