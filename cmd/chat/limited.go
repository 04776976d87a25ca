package main

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// limitLog tells an operator who meets a limit: one of them a second, because there may be
// thousands, and that is what the metrics are for.
type limitLog struct {
	log  *slog.Logger
	next atomic.Int64 // when the next one may be told of: Unix time in nanoseconds
	more atomic.Int64 // those that were not
}

// limitLogEvery is the time between two lines.
const limitLogEvery = time.Second

// met is Options.OnLimited. It does not wait for whoever reads the log.
func (l *limitLog) met(e socketio.Limited) {
	now, next := time.Now().UnixNano(), l.next.Load()
	if now < next || !l.next.CompareAndSwap(next, now+int64(limitLogEvery)) {
		l.more.Add(1)
		return
	}
	more := l.more.Swap(0)
	go l.log.Warn("a limit was met", "limit", e.Limit.String(), "peer", e.Peer.String(), "dropped", e.Dropped, "more", more)
}
