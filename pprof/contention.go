package pprof

import (
	"errors"
	"net/http"
	"runtime"
	"runtime/pprof"
	"sync/atomic"
)

// Waiting for locks and channels is recorded on request only: it costs every lock of
// the program something.
const (
	mutexFraction = 1      // every contended lock
	blockRate     = 10_000 // ns of waiting for one sample, on average: 10 us
)

// recording is true while somebody records a profile of mutex or block.
var recording atomic.Bool

var errRecording = errors.New("mutex or block")

// profileContention records mutex or block for the seconds asked for; without any it
// shows what the recordings of this process found so far.
func profileContention(w http.ResponseWriter, r *http.Request, name string, set func(on bool)) {
	if r.FormValue("seconds") == "" {
		showNamed(w, r, name)
		return
	}
	start := func() error {
		if !recording.CompareAndSwap(false, true) {
			return errRecording
		}
		set(true)
		return nil
	}
	record(w, r, name, maxDuration, start, func() {
		set(false)
		recording.Store(false)
		_ = pprof.Lookup(name).WriteTo(w, 0)
	})
}

func profileMutex(w http.ResponseWriter, r *http.Request) {
	profileContention(w, r, "mutex", func(on bool) { runtime.SetMutexProfileFraction(choose(on, mutexFraction)) })
}

func profileBlock(w http.ResponseWriter, r *http.Request) {
	profileContention(w, r, "block", func(on bool) { runtime.SetBlockProfileRate(choose(on, blockRate)) })
}

// choose returns rate, or 0 for off.
func choose(on bool, rate int) int {
	if on {
		return rate
	}
	return 0
}
