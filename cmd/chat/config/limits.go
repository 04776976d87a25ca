package config

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// Limits is what one address or one client may do. Why the defaults are what they are is
// in docs/limits.md.
type Limits struct {
	ConnectionsPerIP    int      `name:"connections-per-ip" default:"5000" reload:"" help:"Connections that an address may have open (IPv6: a /64 network); 0 for any number."`
	ConnectionRatePerIP Rate     `name:"connection-rate-per-ip" default:"100:3000" reload:"" placeholder:"N[:BURST]" help:"Connections that an address may open, per second and at once; or off."`
	SessionRatePerIP    Rate     `name:"session-rate-per-ip" default:"50:2000" reload:"" placeholder:"N[:BURST]" help:"Clients that may connect from an address, per second and at once; or off."`
	RequestRatePerIP    Rate     `name:"request-rate-per-ip" default:"500:10000" reload:"" placeholder:"N[:BURST]" help:"HTTP requests from an address, per second and at once; or off."`
	MessageRate         Rate     `default:"100:1000" reload:"" placeholder:"N[:BURST]" help:"Messages that a client may send, per second and at once: events, acknowledgements, attachments; or off."`
	ByteRate            ByteRate `default:"1MiB:8MiB" reload:"" placeholder:"SIZE[:BURST]" help:"Bytes that they may have, per second and at once; the burst is max-http-buffer-size at least; or off."`
	MessageRatePerIP    Rate     `name:"message-rate-per-ip" default:"2000:20000" reload:"" placeholder:"N[:BURST]" help:"Messages that all clients of an address may send together, per second and at once; or off."`
	ByteRatePerIP       ByteRate `name:"byte-rate-per-ip" default:"16MiB:64MiB" reload:"" placeholder:"SIZE[:BURST]" help:"Bytes that they may have, per second and at once; or off."`
	OverLimit           string   `default:"disconnect" enum:"disconnect,drop" reload:"" help:"What happens to a client that sends more: disconnect, or drop its events."`
	LimitExempt         []string `default:"loopback,private" reload:"" placeholder:"NETWORK,…" help:"Networks whose clients meet none of the limits above: addresses, networks, loopback, private, none."`
	MaxPeers            int      `default:"65536" reload:"" help:"Addresses that are remembered for the limits; those beyond it meet none."`

	MaxHTTPBufferSize Size          `name:"max-http-buffer-size" default:"1MB" placeholder:"SIZE" help:"Most bytes of a message, and of a request's body, such as 64KiB or 1MiB."`
	MaxRooms          int           `default:"50" help:"Rooms that a client may be in, beside the lobby where everybody is."`
	MaxNamespaces     int           `default:"32" help:"Namespaces that a connection may be in."`
	PingRate          int           `default:"100" reload:"" help:"WebSocket pings that a client may send per second; -1 for any number."`
	MessageTimeout    time.Duration `default:"30s" reload:"" help:"How long a message may take to arrive, all its attachments included; -1s for ever."`
	MinBodyRate       Size          `default:"500B" reload:"" placeholder:"SIZE" help:"Bytes per second that a request's body has to have from its fifth second on; 0 for any."`
}

func (l *Limits) validate() error {
	if _, err := networks("--limit-exempt", l.LimitExempt); err != nil {
		return err
	}
	const largest = 1 << 30 // bytes, of a message
	switch {
	case l.ConnectionsPerIP < 0:
		return errors.New("--connections-per-ip must not be negative; 0 is any number")
	case l.MaxPeers < 1:
		return errors.New("--max-peers must be at least 1; --connections-per-ip=0 and rates that are off need none")
	case l.MaxHTTPBufferSize < 1 || l.MaxHTTPBufferSize > largest:
		return fmt.Errorf("--max-http-buffer-size must be between 1B and %v", Size(largest))
	case l.MaxRooms < 1 || l.MaxNamespaces < 1:
		return errors.New("--max-rooms and --max-namespaces must be at least 1")
	case l.PingRate == 0 || l.PingRate < -1:
		return errors.New("--ping-rate must be at least 1, or -1 for any number")
	case l.MessageTimeout == 0:
		return errors.New("--message-timeout must be more than 0, such as 30s, or -1s for ever")
	}
	return nil
}

// Engine are the limits that SIGHUP may change, as the server has them.
func (l *Limits) Engine() engine.Limits {
	return engine.Limits{
		ConnectionsPerIP:    l.ConnectionsPerIP,
		ConnectionRatePerIP: engine.Rate(l.ConnectionRatePerIP),
		SessionRatePerIP:    engine.Rate(l.SessionRatePerIP),
		RequestRatePerIP:    engine.Rate(l.RequestRatePerIP),
		Exempt:              l.exempt(),
		MaxIPs:              l.MaxPeers,
		Messages:            engine.Rate(l.MessageRate),
		Bytes:               engine.Rate(l.ByteRate),
		MessagesPerIP:       engine.Rate(l.MessageRatePerIP),
		BytesPerIP:          engine.Rate(l.ByteRatePerIP),
		DropOver:            l.OverLimit == "drop",
		PingRate:            l.PingRate,
		MessageTimeout:      l.MessageTimeout,
		MinBodyRate:         int(l.MinBodyRate),
	}
}

func (l *Limits) exempt() []netip.Prefix {
	all, _ := networks("", l.LimitExempt)
	return all
}
