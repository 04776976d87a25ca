package main

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// fleetWatch tells the log when something is amiss with the cluster, and when that is over.
type fleetWatch struct {
	ready func() error
	back  func() // called when all is well again
	log   *slog.Logger
	amiss bool
	since time.Time
}

// watchEvery is how often it looks.
const watchEvery = time.Second

// run looks until ctx is done: a server that stops leaves the cluster, and nothing is amiss with that.
func (w *fleetWatch) run(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.look()
		}
	}
}

func (w *fleetWatch) look() {
	err := w.ready()
	if (err != nil) == w.amiss {
		return
	}
	if err != nil {
		w.log.Warn("cluster: degraded; clients of this server are served", "error", oneLine(err))
	} else {
		w.log.Info("cluster: all is well", "after", time.Since(w.since).Round(time.Second))
		w.back()
	}
	w.amiss, w.since = err != nil, time.Now()
}

// oneLine is an error in one line, whatever was joined to it.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
