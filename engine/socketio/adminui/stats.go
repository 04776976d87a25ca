package adminui

import (
	"os"
	"slices"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// started is when the process was, near enough.
var started = time.Now()

// serverStats is what the page shows of a server.
type serverStats struct {
	ServerID            string            `json:"serverId"`
	Hostname            string            `json:"hostname"`
	PID                 int               `json:"pid"`
	Uptime              float64           `json:"uptime"` // s
	ClientsCount        int64             `json:"clientsCount"`
	PollingClientsCount int64             `json:"pollingClientsCount"`
	AggregatedEvents    []aggregatedEvent `json:"aggregatedEvents,omitempty"`
	Namespaces          []namespaceStats  `json:"namespaces"`
}

type namespaceStats struct {
	Name         string `json:"name"`
	SocketsCount int    `json:"socketsCount"`
}

// aggregatedEvent says how often something happened around a time.
type aggregatedEvent struct {
	Timestamp int64  `json:"timestamp"` // ms since 1970, of a whole second
	Type      string `json:"type"`
	SubType   string `json:"subType,omitempty"`
	Count     uint64 `json:"count"`
}

func (u *UI) stats(events []aggregatedEvent) *serverStats {
	st := u.server.Stats().Engine
	return &serverStats{
		ServerID: u.options.ServerID, Hostname: hostname(), PID: os.Getpid(), Uptime: time.Since(started).Seconds(),
		ClientsCount: st.Polling + st.WebSocket + st.WebTransport, PollingClientsCount: st.Polling,
		AggregatedEvents: events, Namespaces: u.namespaces(),
	}
}

// namespaces counts the sockets of this server, those of the first namespaces by name.
func (u *UI) namespaces() []namespaceStats {
	all := u.server.Namespaces()
	slices.SortFunc(all, func(a, b *socketio.Namespace) int { return strings.Compare(a.Name(), b.Name()) })
	all = all[:min(len(all), u.options.MaxNamespaces)]
	list := make([]namespaceStats, len(all))
	for i, n := range all {
		list[i] = namespaceStats{n.Name(), n.SocketCount()}
	}
	return list
}

// totals are the counters that aggregated events are the growth of.
type totals struct {
	opened, packetsIn, bytesIn, packetsOut, bytesOut uint64
	closed                                           map[engine.Reason]uint64
}

func (u *UI) totals() totals {
	st := u.server.Stats().Engine
	return totals{st.Opened, st.PacketsIn, st.BytesIn, st.PacketsOut, st.BytesOut, st.Closed}
}

// events are the growth since old, in Node's words.
func (t totals) events(old *totals, at time.Time) (list []aggregatedEvent) {
	timestamp := at.Truncate(time.Second).UnixMilli()
	add := func(kind, sub string, n uint64) {
		if n > 0 {
			list = append(list, aggregatedEvent{timestamp, kind, sub, n})
		}
	}
	add("rawConnection", "", t.opened-old.opened)
	add("packetsIn", "", t.packetsIn-old.packetsIn)
	add("bytesIn", "", t.bytesIn-old.bytesIn)
	add("packetsOut", "", t.packetsOut-old.packetsOut)
	add("bytesOut", "", t.bytesOut-old.bytesOut)
	for reason, n := range t.closed {
		add("rawDisconnection", reason.String(), n-old.closed[reason])
	}
	return list
}
