package systemd

import (
	"context"
	"time"
)

// Watch tells the manager twice per WatchdogSec that the program is alive, as long as
// alive says so, until ctx is done. It returns at once where nobody watches. A program
// that is not alive is restarted by the manager, which is told why.
func (n *Notifier) Watch(ctx context.Context, alive func() error) {
	if n == nil || n.watchdog == 0 {
		return
	}
	t := time.NewTicker(n.watchdog / 2)
	defer t.Stop()
	for {
		if err := alive(); err != nil {
			n.Status("Not alive: " + err.Error())
		} else {
			n.send("WATCHDOG=1")
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}
