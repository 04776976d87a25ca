package main

import (
	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/pprof"
)

// historyMetrics are the numbers of the store of messages.
func historyMetrics(h *history.History) []pprof.Metric {
	one := func(kind pprof.Kind, name, help string, read func(history.Stats) float64) pprof.Metric {
		return single(h.Stats, kind, name, help, read)
	}
	return []pprof.Metric{
		historyState(h),
		one(pprof.Gauge, "fanfare_history_queued", "Messages that wait to be written.", func(st history.Stats) float64 { return float64(st.Queued) }),
		one(pprof.Gauge, "fanfare_history_queued_bytes", "Bytes of messages that wait to be written.", func(st history.Stats) float64 { return float64(st.Bytes) }),
		one(pprof.Gauge, "fanfare_history_rooms_cached", "Rooms whose newest messages are in memory.", func(st history.Stats) float64 { return float64(st.Rooms) }),
		one(pprof.Counter, "fanfare_history_written_total", "Messages written.", func(st history.Stats) float64 { return float64(st.Written) }),
		one(pprof.Counter, "fanfare_history_lost_total", "Messages delivered, but never written.", func(st history.Stats) float64 { return float64(st.Lost) }),
		one(pprof.Counter, "fanfare_history_writes_total", "Groups of messages written.", func(st history.Stats) float64 { return float64(st.Batches) }),
		one(pprof.Counter, "fanfare_history_write_seconds_total", "Time that writes took.", func(st history.Stats) float64 { return st.Writing.Seconds() }),
		one(pprof.Counter, "fanfare_history_errors_total", "Times that the store failed, or was too slow.", func(st history.Stats) float64 { return float64(st.Errors) }),
		one(pprof.Counter, "fanfare_history_reads_total", "Questions that the store was asked.", func(st history.Stats) float64 { return float64(st.Reads) }),
		one(pprof.Counter, "fanfare_history_cached_total", "Questions answered from memory.", func(st history.Stats) float64 { return float64(st.Cached) }),
	}
}

// historyState is 1 for the present state, and 0 for the others.
func historyState(h *history.History) pprof.Metric {
	return pprof.Metric{
		Name: "fanfare_history_state", Help: "1 for the state that the history of messages is in.", Kind: pprof.Gauge, Label: "state",
		Read: func(emit func(string, float64)) {
			present := h.State()
			for _, s := range []history.State{history.Off, history.Healthy, history.Degraded} {
				value := 0.0
				if s == present {
					value = 1
				}
				emit(s.String(), value)
			}
		},
	}
}
