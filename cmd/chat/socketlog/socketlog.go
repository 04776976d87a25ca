// Package socketlog writes down what single sockets do, at the level debug, whatever the
// level of the rest of the log: that a socket connects, the events that come and go with
// their names and sizes, and why it ends. What is in the events is never written, nor is
// the auth of a client.
//
// A socket is followed by its id, or because it is one in so many. Those that are not are
// not looked at: what follows is registered with the one socket alone, and costs a new
// socket one atomic load. Most is bounded: sockets at a time, lines per second, and, for
// those asked for over HTTP, the time.
package socketlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

const (
	// maxFollowed is how many sockets may be followed, or waited for, at a time.
	maxFollowed = 100
	// maxID is how long an id may be, in bytes: one of Socket.IO 2 has the namespace's name
	// in front.
	maxID = 128
	// maxTime is how long a socket may be followed that was asked for over HTTP.
	maxTime = 24 * time.Hour
)

// What cannot be followed.
var (
	ErrTooMany = fmt.Errorf("socketlog: %d sockets are followed already: give one up first", maxFollowed)
	ErrID      = errors.New("socketlog: that is not the id of a socket")
	ErrRate    = errors.New("socketlog: a sample is written as 1/N, with N of 1 or more")
)

// Log follows sockets. Its methods are safe for concurrent use.
type Log struct {
	log  *slog.Logger
	find func(id string) (*socketio.Socket, bool)

	on        atomic.Bool   // somebody is waited for, or there is a sample
	rate      atomic.Uint32 // one new socket in so many is followed; 0 for none
	connected atomic.Uint32 // new sockets since there is a rate

	mu       sync.Mutex
	followed map[string]*followed // by id; guarded by mu
}

// New returns a log that follows nobody. It writes to log, which must let debug lines
// through, and looks for sockets that are connected with find.
func New(log *slog.Logger, find func(id string) (*socketio.Socket, bool)) *Log {
	return &Log{log: log, find: find, followed: make(map[string]*followed)}
}

// Connected is to be called for every socket that connects, by OnConnect.
func (l *Log) Connected(_ context.Context, s *socketio.Socket) error {
	if !l.on.Load() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.followed[s.ID()]
	if f == nil && l.sampled() && len(l.followed) < maxFollowed {
		f = &followed{log: l, id: s.ID(), sampled: true}
		l.followed[f.id] = f
	}
	if f != nil {
		f.begin(s, "connected")
	}
	return nil
}

func (l *Log) sampled() bool {
	rate := l.rate.Load()
	return rate > 0 && l.connected.Add(1)%rate == 0
}

// Follow writes down what the socket does from now on, for so long or, where that is 0,
// until Unfollow. A socket that is not there is waited for: it may return with its id.
func (l *Log) Follow(id string, how time.Duration) error {
	if !isID(id) {
		return ErrID
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.followed[id]
	if f == nil {
		if len(l.followed) >= maxFollowed {
			return ErrTooMany
		}
		f = &followed{log: l, id: id}
		l.followed[id] = f
	}
	f.keep(how)
	l.on.Store(true)
	if s, ok := l.find(id); ok {
		f.begin(s, "followed")
	}
	return nil
}

// Unfollow undoes Follow; false where the socket was not followed.
func (l *Log) Unfollow(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.followed[id]
	if f != nil {
		l.drop(f)
	}
	return f != nil
}

// Set follows the sockets that the configuration names, and one in N of the new ones
// where it says 1/N; those it named before, and does not now, are given up.
func (l *Log) Set(names []string) error {
	ids, rate, err := Parse(names)
	if err != nil {
		return err
	}
	l.mu.Lock()
	named := make(map[string]bool, len(ids))
	for _, id := range ids {
		named[id] = true
	}
	for id, f := range l.followed {
		if f.sampled && rate == 0 || f.configured && !named[id] {
			l.drop(f)
		}
	}
	l.rate.Store(rate)
	l.look()
	l.mu.Unlock()
	for _, id := range ids {
		if err := l.Follow(id, 0); err != nil {
			return err
		}
		l.mark(id)
	}
	return nil
}

func (l *Log) mark(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.followed[id]; f != nil {
		f.configured = true
	}
}

// Close follows nobody any more.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rate.Store(0)
	for _, f := range l.followed {
		l.drop(f)
	}
}

// drop gives one up. Called with mu held.
func (l *Log) drop(f *followed) {
	f.end()
	delete(l.followed, f.id)
	l.look()
}

// look sets on. Called with mu held.
func (l *Log) look() { l.on.Store(l.rate.Load() > 0 || len(l.followed) > 0) }

// Parse sorts the names of a configuration: ids, and the N of 1/N, 0 for none.
func Parse(names []string) (ids []string, rate uint32, err error) {
	for _, name := range names {
		n, isRate := strings.CutPrefix(name, "1/")
		switch {
		case isRate:
			r, err := strconv.ParseUint(n, 10, 32)
			if err != nil || r == 0 {
				return nil, 0, fmt.Errorf("%w: not %q", ErrRate, name)
			}
			rate = uint32(r)
		case !isID(name):
			return nil, 0, fmt.Errorf("%w: %q", ErrID, name)
		default:
			ids = append(ids, name)
		}
	}
	if len(ids) > maxFollowed {
		return nil, 0, ErrTooMany
	}
	return ids, rate, nil
}

// isID accepts what a socket may be called by: see socketio.Socket.ID.
func isID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c > '~' || c == '"' || c == ',' {
			return false
		}
	}
	return true
}
