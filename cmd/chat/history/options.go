package history

import (
	"cmp"
	"log/slog"
	"time"
)

const (
	// MaxLimit is how many messages may be asked for at once.
	MaxLimit = 200
	// MaxRoom is the length of the longest name of a room, in bytes: that of the engine's
	// rooms, and well below what a key of Postgres may take (2,700 bytes).
	MaxRoom = 256
)

// Options are where messages are kept, how many and for how long.
type Options struct {
	// Store is the place: "off", "memory", the URL of a Postgres database (postgres://…),
	// or the path of a file, which one process has open at a time. Default: memory.
	Store string
	// Keep is how many messages of a room are kept at least; default 10,000, which is fifty
	// pages of MaxLimit. Up to a sixteenth more may be there: the oldest go in groups.
	Keep int
	// MaxAge is how old messages may get; default: any age. They go within a minute, or a
	// tenth of MaxAge where that is longer.
	MaxAge time.Duration
	// Rooms is how many rooms are kept; default 1,000. The one that was quiet for the
	// longest time goes when there is another. The lobby, the room without a name, stays.
	Rooms int
	// MemoryBytes is how much the store "memory" takes; default 64 MiB. The room that takes
	// most gives its oldest messages.
	MemoryBytes int
	// Queue is how many messages may wait to be written; default 65,536: half a minute's
	// at 2,000 per second. Those beyond it are not stored.
	Queue int
	// QueueBytes is how many bytes of messages may wait; default 64 MiB.
	QueueBytes int
	// Pace is how long the writer waits from the begin of a write to that of the next one, so
	// that it writes groups under load; default 20 ms, 1 ms for memory. It is what an
	// acknowledgement may have to wait beyond the write itself. A file is written by system calls
	// that block, and those are felt by the event loops: less of them with a longer pace.
	Pace time.Duration
	// Patience is how long a write may take before the history is degraded, and nobody
	// waits for it any more; default 2 s.
	Patience time.Duration
	// Retry is the longest time between two tries to reach a store that fails; default
	// 5 s. The first comes after 100 ms. A database that nobody writes to is looked at
	// after three times as long.
	Retry time.Duration
	// Tails is of how many rooms the newest MaxLimit messages are kept in memory; default 256.
	Tails int
	// Fresh is how long they are believed where other processes write to the store
	// (Postgres); default 500 ms. What this process adds is seen at once.
	Fresh time.Duration
	// Readers is how many questions the store is asked at a time; default 8.
	Readers int
	// Logger is told when the store fails, and when it is back; default slog.Default.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Store = cmp.Or(o.Store, "memory")
	o.Keep = cmp.Or(o.Keep, 10_000)
	o.Rooms = cmp.Or(o.Rooms, 1000)
	o.MemoryBytes = cmp.Or(o.MemoryBytes, 64<<20)
	o.Queue = cmp.Or(o.Queue, 65_536)
	o.QueueBytes = cmp.Or(o.QueueBytes, 64<<20)
	o.Pace = cmp.Or(o.Pace, defaultPace(o.Store))
	o.Patience = cmp.Or(o.Patience, 2*time.Second)
	o.Retry = cmp.Or(o.Retry, 5*time.Second)
	o.Tails = cmp.Or(o.Tails, 256)
	o.Fresh = cmp.Or(o.Fresh, 500*time.Millisecond)
	o.Readers = cmp.Or(o.Readers, 8)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	return o
}

func defaultPace(store string) time.Duration {
	if store == StoreMemory {
		return time.Millisecond
	}
	return 20 * time.Millisecond
}
