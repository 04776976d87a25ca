package main

import (
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/pprof"
)

// The metrics with a label. Its values are known beforehand, or bounded by the server.

func sessions(server *socketio.Server) pprof.Metric {
	return pprof.Metric{
		Name: "fanfare_connections", Help: "Open sessions.", Kind: pprof.Gauge, Label: "transport",
		Read: func(emit func(string, float64)) {
			st := server.Stats().Engine
			emit("polling", float64(st.Polling))
			emit("websocket", float64(st.WebSocket))
			emit("webtransport", float64(st.WebTransport))
		},
	}
}

func sockets(server *socketio.Server) pprof.Metric {
	return pprof.Metric{
		Name: "fanfare_sockets", Help: "Connected sockets.", Kind: pprof.Gauge, Label: "namespace",
		Read: func(emit func(string, float64)) {
			for name, n := range server.Stats().Sockets {
				emit(name, float64(n))
			}
		},
	}
}

func closed(server *socketio.Server) pprof.Metric {
	return pprof.Metric{
		Name: "fanfare_disconnects_total", Help: "Sessions closed.", Kind: pprof.Counter, Label: "reason",
		Read: func(emit func(string, float64)) {
			for reason, n := range server.Stats().Engine.Closed {
				emit(reason.String(), float64(n))
			}
		},
	}
}

func rejected(server *socketio.Server) pprof.Metric {
	return pprof.Metric{
		Name: "fanfare_handshakes_rejected_total", Help: "Requests refused.", Kind: pprof.Counter, Label: "reason",
		Read: func(emit func(string, float64)) {
			for message, n := range server.Stats().Engine.Rejected {
				emit(message, float64(n))
			}
		},
	}
}

func slow(server *socketio.Server) pprof.Metric {
	return pprof.Metric{
		Name: "fanfare_slow_consumers_total", Help: "Clients closed because they took too little.", Kind: pprof.Counter, Label: "bound",
		Read: func(emit func(string, float64)) {
			causes := server.Stats().Engine.SlowCauses
			for c := socketio.SlowBytes; c <= socketio.SlowMemory; c++ {
				emit(c.String(), float64(causes[c]))
			}
		},
	}
}

func limited(server *socketio.Server) pprof.Metric {
	return pprof.Metric{
		Name: "fanfare_limits_met_total", Help: "Clients refused, closed or not heard for one of the limits.", Kind: pprof.Counter, Label: "limit",
		Read: func(emit func(string, float64)) {
			met := server.Stats().Engine.Limits
			for m := socketio.LimitConnections; m <= socketio.LimitBytesPerIP; m++ {
				emit(m.String(), float64(met[m]))
			}
		},
	}
}

func exceeded(server *socketio.Server) pprof.Metric {
	return pprof.Metric{
		Name: "fanfare_options_exceeded_total", Help: "Requests and packets beyond a bound of the server's options.", Kind: pprof.Counter, Label: "option",
		Read: func(emit func(string, float64)) {
			for option, n := range server.Stats().Exceeded {
				emit(option, float64(n))
			}
		},
	}
}
