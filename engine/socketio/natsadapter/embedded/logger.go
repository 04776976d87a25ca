package embedded

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// logger is a NATS server's, in slog's words. A server says much that nobody needs, and what is wrong it says with each
// attempt, several times a second: here what is usual is for slog.LevelDebug, and the rest is said once in saidEvery.
type logger struct {
	*slog.Logger
	fatal *atomic.Pointer[string] // why the server cannot start
	said  *repeats
}

func newLogger(to *slog.Logger) logger {
	return logger{Logger: to, fatal: new(atomic.Pointer[string]), said: &repeats{kinds: make(map[string]*repeat)}}
}

func (l logger) Noticef(format string, v ...any) { l.Debug(line(format, v)) }
func (l logger) Debugf(format string, v ...any)  { l.Debug(line(format, v)) }
func (l logger) Tracef(format string, v ...any)  { l.Debug(line(format, v)) }
func (l logger) Warnf(format string, v ...any)   { l.say(l.Warn, line(format, v)) }
func (l logger) Errorf(format string, v ...any)  { l.say(l.Error, line(format, v)) }

// Fatalf is called where nats-server ends its process: here it does not start.
func (l logger) Fatalf(format string, v ...any) {
	why := fmt.Sprintf(format, v...)
	l.fatal.CompareAndSwap(nil, &why)
}

func line(format string, v []any) string { return "embedded NATS: " + fmt.Sprintf(format, v...) }

func (l logger) say(at func(string, ...any), text string) {
	if isUsual(text) {
		l.Debug(text)
		return
	}
	now, more := l.said.ask(kindOf(text), time.Now())
	if !now {
		l.Debug(text)
		return
	}
	var what []any
	if means := meaning(text); means != "" {
		what = append(what, "means", means)
	}
	if more > 0 {
		what = append(what, "repeated", more)
	}
	at(text, what...)
}

// usual is what servers say while they start and stop, one after the other: who is not reached
// is tried again, and Server.Ready says where nobody is.
var usual = []string{
	"Error trying to connect to route",
	"Waiting for routing to be established",
	"JetStream has not established contact with a meta leader",
	"JetStream cluster no metadata leader",
	"Metalayer blocking snapshot",
}

func isUsual(text string) bool {
	for _, u := range usual {
		if strings.Contains(text, u) {
			return true
		}
	}
	return false
}

// meaning is what an operator can do about it; empty where the words are clear.
func meaning(text string) string {
	switch {
	case strings.Contains(text, "authentication error"):
		return "a server that connects here has another password"
	case strings.Contains(text, "Authorization Violation"):
		return "the server there has another password"
	case strings.Contains(text, "TLS"), strings.Contains(text, "tls:"), strings.Contains(text, "x509:"):
		return "this server and the one there do not accept each other's certificates, or only one of them has one"
	}
	return ""
}

const (
	saidEvery = time.Minute
	maxKinds  = 256 // of lines that are remembered
)

// repeats has lines that are alike said once in saidEvery. Safe for concurrent use.
type repeats struct {
	mu    sync.Mutex
	kinds map[string]*repeat // guarded by mu
}

type repeat struct {
	at   time.Time // when it was said
	more int       // that were not said since
}

// ask reports whether a line is to be said now, and how many of its kind were not since the one before.
func (r *repeats) ask(kind string, now time.Time) (say bool, more int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.kinds[kind]
	switch {
	case k == nil:
		if len(r.kinds) == maxKinds {
			clear(r.kinds)
		}
		r.kinds[kind] = &repeat{at: now}
		return true, 0
	case now.Sub(k.at) < saidEvery:
		k.more++
		return false, 0
	}
	more = k.more
	*k = repeat{at: now}
	return true, more
}

// kindOf is a line without its numbers: those of connections, ports and attempts change with each.
func kindOf(text string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, text)
}
