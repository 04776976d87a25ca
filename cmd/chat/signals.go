package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// orders is what the program was told from outside: to stop, and then to stop now.
// Immutable; safe for concurrent use.
type orders struct {
	stop context.Context // done with the first signal; its cause is a signalled
	now  context.Context // done with the second one; likewise
}

// signalled is a signal as the cause of an end. As an error it is that of the program:
// a second signal has cut short what the first one began.
type signalled struct{ syscall.Signal }

// Error says what happened.
func (s signalled) Error() string {
	return fmt.Sprintf("a second signal (%v) cut the graceful stop short", s.Signal)
}

// ExitCode is the shell's for a program that a signal has ended.
func (s signalled) ExitCode() int { return 128 + int(s.Signal) }

// takeOrders has SIGINT (Ctrl-C) and SIGTERM stop the program. After the second one the
// signals do again what they always do: a third kills.
func takeOrders() *orders {
	c := make(chan os.Signal, 2)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM)
	return follow(c, func() { signal.Stop(c) })
}

// follow takes two signals, then calls enough.
func follow(c <-chan os.Signal, enough func()) *orders {
	stop, first := context.WithCancelCause(context.Background())
	now, second := context.WithCancelCause(context.Background())
	go func() {
		first(signalled{(<-c).(syscall.Signal)})
		s := <-c
		enough()
		second(signalled{s.(syscall.Signal)})
	}()
	return &orders{stop, now}
}

// quick reports that whoever stops the program sits in front of it.
func (o *orders) quick() bool { return context.Cause(o.stop) == signalled{syscall.SIGINT} }

// cut returns the second signal as an error, once it came.
func (o *orders) cut() error {
	if o.now.Err() == nil {
		return nil
	}
	return context.Cause(o.now)
}

// lastWords is how long what is on its way may take once a second signal came.
const lastWords = time.Second

// within is a context for a step of the stop: it is done after that time, or after
// lastWords where the second signal comes earlier.
func (o *orders) within(limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), max(limit, lastWords))
	var late *time.Timer
	armed := make(chan struct{})
	unhook := context.AfterFunc(o.now, func() {
		late = time.AfterFunc(lastWords, cancel)
		close(armed)
	})
	return ctx, func() {
		if !unhook() {
			<-armed
			late.Stop()
		}
		cancel()
	}
}
