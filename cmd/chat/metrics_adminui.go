package main

import (
	"github.com/fanfare-go/fanfare/engine/socketio/adminui"
	"github.com/fanfare-go/fanfare/pprof"
)

// adminUIMetrics lists the admin UI's numbers; none where it is off.
func adminUIMetrics(ui *adminui.UI) []pprof.Metric {
	if ui == nil {
		return nil
	}
	metric := func(kind pprof.Kind, name, help string, read func(adminui.Stats) uint64) pprof.Metric {
		return single(ui.Stats, kind, name, help, read)
	}
	return []pprof.Metric{
		metric(pprof.Gauge, "fanfare_admin_ui_admins", "Admins connected to the admin UI's namespace.", func(st adminui.Stats) uint64 { return uint64(st.Admins) }),
		metric(pprof.Gauge, "fanfare_admin_ui_shown", "Sockets that the admin UI shows.", func(st adminui.Stats) uint64 { return uint64(st.Shown) }),
		metric(pprof.Counter, "fanfare_admin_ui_commands_total", "Commands of admins carried out.", func(st adminui.Stats) uint64 { return st.Commands }),
		metric(pprof.Counter, "fanfare_admin_ui_events_dropped_total", "Events not shown in the admin UI, because there were too many.", func(st adminui.Stats) uint64 { return st.EventsDropped }),
		{
			Name: "fanfare_admin_ui_logins_total", Help: "Logins to the admin UI, by what came of them.", Kind: pprof.Counter, Label: "result",
			Read: func(emit func(string, float64)) {
				st := ui.Stats()
				emit("password", float64(st.Passwords))
				emit("session", float64(st.Sessions))
				emit("refused", float64(st.Refused))
				emit("throttled", float64(st.Throttled))
			},
		},
	}
}
