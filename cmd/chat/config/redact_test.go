package config_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
)

func TestTokensAndCookiesAreNeverLogged(t *testing.T) {
	const secret = "hunter2"
	address, err := url.Parse("https://x.example/?token=" + secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"text", "json"} {
		var b bytes.Buffer
		l := config.Logging{LogFormat: format}
		log := l.Logger(&b, slog.LevelDebug)
		log.Info("request", "token", secret, "Cookie", secret, "Authorization", secret, "password", []string{secret}, "auth", map[string]string{"token": secret})
		log.Info("request", slog.Group("headers", "cookie", secret))
		log.With("token", secret).Debug("request", "url", "/socket.io/?EIO=4&token="+secret+"&t=1", "address", address)
		log.Error("failed", "error", errors.New("dial postgres://chat:"+secret+"@db/chat: refused"), "dsn", "postgres://chat:"+secret+"@db/chat")
		if strings.Contains(b.String(), secret) {
			t.Errorf("%s:\n%s", format, &b)
		}
		if !strings.Contains(b.String(), "t=1") || !strings.Contains(b.String(), "@db/chat") {
			t.Errorf("%s: more is gone than the secret:\n%s", format, &b)
		}
	}
}

// What has words is logged in them, in JSON too: not as a number of which nobody knows the unit.
func TestWhatHasWordsIsLoggedInThem(t *testing.T) {
	for format, want := range map[string][]string{
		"text": {"delay=1.5s", "signal=terminated", "origin=2001:db8::1", "at=2026-01-02T15:04:05", "level=INFO"},
		"json": {`"delay":"1.5s"`, `"signal":"terminated"`, `"origin":"2001:db8::1"`, `"at":"2026-01-02T15:04:05Z"`, `"level":"INFO"`},
	} {
		var b bytes.Buffer
		l := config.Logging{LogFormat: format}
		var nobody *url.Userinfo
		l.Logger(&b, slog.LevelDebug).Info("stopping", "delay", 1500*time.Millisecond, "signal", syscall.SIGTERM, "origin", netip.MustParseAddr("2001:db8::1"),
			"at", time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC), "user", nobody)
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s: no %s in %s", format, w, &b)
			}
		}
	}
}

func TestOrdinaryTextIsLoggedAsItIs(t *testing.T) {
	for _, text := range []string{"", "a?b", "a@b.example", "http://localhost:3000/?room=1", "https://x.example:443/", "x=1&y=2"} {
		if got := config.RedactText(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestSecretsOfACommandLineAreRedacted(t *testing.T) {
	options := []config.Option{{Name: "auth-secret", Secret: true}, {Name: "port"}, {Name: "webhook"}}
	got := config.RedactArgs([]string{
		"chat", "serve", "--auth-secret=hunter2", "--port=1", "--auth-secret", "hunter2", "--webhook", "https://me:hunter2@b.example/", "--port", "2", "--auth-secret",
	}, options)
	want := "chat serve --auth-secret=(redacted) --port=1 --auth-secret (redacted) --webhook https://me:(redacted)@b.example/ --port 2 --auth-secret"
	if strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}
