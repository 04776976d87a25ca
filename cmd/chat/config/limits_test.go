package config_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/engine"
	"pgregory.net/rapid"
)

func TestSizes(t *testing.T) {
	for text, want := range map[string]config.Size{
		"0": 0, "1": 1, "512B": 512, "64KiB": 64 << 10, "64kb": 64_000, "64 KB": 64_000, "1MB": 1_000_000, "1mib": 1 << 20, "2GiB": 2 << 30, "3GB": 3_000_000_000,
	} {
		var s config.Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q: %d %v", text, s, err)
		}
	}
	for _, text := range []string{"", "B", "-1", "1.5MiB", "1 M", "MiB", "99999999999GiB", "1MiBB", "1e6"} {
		var s config.Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: %d", text, s)
		}
	}
}

// What is printed is read as the same.
func TestSizesAndRatesAreReadAsTheyArePrinted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := config.Size(rapid.OneOf(rapid.Int64Range(0, 1<<62), rapid.Int64Range(0, 5000)).Draw(t, "size") * rapid.SampledFrom([]int64{1, 1, 1000, 1024}).Draw(t, "unit"))
		if s < 0 {
			t.Skip("beyond an int64")
		}
		var again config.Size
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s {
			t.Fatalf("%d: %s: %d %v", s, s, again, err)
		}
		r := config.Rate{PerSecond: rapid.IntRange(0, 1<<30).Draw(t, "rate")}
		if r.PerSecond > 0 {
			r.Burst = rapid.IntRange(0, 1<<30).Draw(t, "burst")
		}
		var r2 config.Rate
		if err := r2.UnmarshalText([]byte(r.String())); err != nil || r2 != r {
			t.Fatalf("%v: %v %v", r, r2, err)
		}
		b, b2 := config.ByteRate(r), config.ByteRate{}
		if err := b2.UnmarshalText([]byte(b.String())); err != nil || b2 != b {
			t.Fatalf("%v: %v %v", b, b2, err)
		}
	})
}

func TestLimitsFromAFile(t *testing.T) {
	path := write(t, `
connections-per-ip: 7
session-rate-per-ip: 10:20
request-rate-per-ip: off
message-rate: 30
byte-rate: 64KiB:1MiB
over-limit: drop
limit-exempt: [loopback, 192.0.2.1, "2001:db8::/32"]
max-http-buffer-size: 2MiB
min-body-rate: 0
trusted-proxy: [10.0.0.0/8, private]
proxy-protocol: optional
`)
	c, _ := mustParse(t, "--config="+path)
	m := c.Limits.Engine()
	if m.ConnectionsPerIP != 7 || m.SessionRatePerIP != (engine.Rate{PerSecond: 10, Burst: 20}) || m.RequestRatePerIP != (engine.Rate{}) ||
		m.Messages != (engine.Rate{PerSecond: 30}) || m.Bytes != (engine.Rate{PerSecond: 64 << 10, Burst: 1 << 20}) || !m.DropOver || m.MinBodyRate != 0 {
		t.Errorf("%+v", m)
	}
	if len(m.Exempt) != 4 || m.Exempt[2] != netip.MustParsePrefix("192.0.2.1/32") || c.Limits.MaxHTTPBufferSize != 2<<20 {
		t.Errorf("%v %v", m.Exempt, c.Limits.MaxHTTPBufferSize)
	}
	if len(c.Proxies.Trusted()) != 7 || c.Proxies.Protocol() != engine.ProxyOptional {
		t.Errorf("%v %v", c.Proxies.Trusted(), c.Proxies.Protocol())
	}
}

// The engine takes what the program's defaults and validation let through.
func TestDefaultLimitsAreTaken(t *testing.T) {
	c, _ := mustParse(t)
	srv, err := engine.New(engine.Options{Accept: func(*engine.Session) engine.Receiver { return nil }, Limits: c.Limits.Engine()})
	if err != nil {
		t.Fatal(err)
	}
	c, _ = mustParse(t, "--limit-exempt=none", "--connections-per-ip=0", "--message-rate=off", "--ping-rate=-1", "--message-timeout=-1s")
	if err := srv.SetLimits(c.Limits.Engine()); err != nil || len(c.Limits.Engine().Exempt) != 0 {
		t.Errorf("%v %+v", err, c.Limits.Engine())
	}
}

func TestBadLimitsSayWhatToDo(t *testing.T) {
	for arg, advice := range map[string]string{
		"--connections-per-ip=-1":       "0 is any number",
		"--message-rate=fast":           "100:1000",
		"--message-rate=10:0":           "or off",
		"--message-rate=0":              "or off",
		"--byte-rate=1MiB:":             "1MiB:4MiB",
		"--over-limit=ignore":           "disconnect",
		"--limit-exempt=10.0.0.1/8":     "10.0.0.0/8",
		"--limit-exempt=localhost":      "loopback",
		"--max-peers=0":                 "at least 1",
		"--max-http-buffer-size=1.5MiB": "whole number",
		"--max-http-buffer-size=2GiB":   "1GiB",
		"--max-rooms=0":                 "at least 1",
		"--ping-rate=0":                 "-1",
		"--message-timeout=0s":          "30s",
		"--trusted-proxy=balancer":      "not a network",
		"--proxy-protocol=required":     "--trusted-proxy",
		"--proxy-protocol=on":           "optional",
		"--client-header=X-Real-IP":     "--trusted-proxy",
	} {
		if _, _, err := parse(t, arg); err == nil || !strings.Contains(err.Error(), advice) {
			t.Errorf("%s: %v", arg, err)
		}
	}
}
