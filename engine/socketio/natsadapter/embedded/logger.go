package embedded

import (
	"fmt"
	"log/slog"
	"sync/atomic"
)

// logger is a NATS server's, in slog's words. A server says much that nobody needs.
type logger struct {
	*slog.Logger
	fatal *atomic.Pointer[string] // why the server cannot start
}

func (l logger) Noticef(format string, v ...any) { l.say(l.Debug, format, v) }
func (l logger) Debugf(format string, v ...any)  { l.say(l.Debug, format, v) }
func (l logger) Tracef(format string, v ...any)  { l.say(l.Debug, format, v) }
func (l logger) Warnf(format string, v ...any)   { l.say(l.Warn, format, v) }
func (l logger) Errorf(format string, v ...any)  { l.say(l.Error, format, v) }

// Fatalf is called where nats-server ends its process: here it does not start.
func (l logger) Fatalf(format string, v ...any) {
	why := fmt.Sprintf(format, v...)
	l.fatal.CompareAndSwap(nil, &why)
}

func (l logger) say(at func(string, ...any), format string, v []any) {
	at("embedded NATS: " + fmt.Sprintf(format, v...))
}
