package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxWebhookLoad is how many workers may be busy with the webhook or wait for it: half of
// what socketio.Options.Workers has by default, so that the other half is the chat's.
const maxWebhookLoad = 512

// Auth is who is let in. Without keys and without a webhook it is everybody.
type Auth struct {
	AuthRequired     bool          `default:"true" negatable:"" reload:"" help:"Refuse clients without a token, where there are keys; otherwise they are guests."`
	AuthSecret       string        `secret:"" reload:"" placeholder:"TEXT" help:"Secret of tokens signed with HS256, HS384 or HS512, 32 bytes at least. A file is better: a command line is seen by others."`
	AuthSecretFile   string        `type:"existingfile" reload:"" placeholder:"FILE" help:"File with such secrets, one a line, each of which may have signed. Read again on SIGHUP."`
	AuthPublicKey    string        `type:"existingfile" reload:"" placeholder:"FILE" help:"File with public keys or certificates, PEM: RSA (RS256 to PS512), ECDSA (ES256 to ES512), Ed25519 (EdDSA). Read again on SIGHUP."`
	AuthJWKS         string        `name:"auth-jwks" reload:"" placeholder:"URL" help:"File or http(s) URL of a JSON Web Key Set with public keys."`
	AuthJWKSRefresh  time.Duration `name:"auth-jwks-refresh" default:"15m" reload:"" help:"How often the URL is asked again; a key that is not known has it asked at once, every 10s at most."`
	AuthIssuer       string        `reload:"" placeholder:"TEXT" help:"What the claim iss must be; default: anything."`
	AuthAudience     []string      `reload:"" placeholder:"TEXT" help:"What the claim aud must have one of; default: anything."`
	AuthLeeway       time.Duration `default:"5s" reload:"" help:"How far clocks may differ, for exp and nbf."`
	AuthAllowForever bool          `reload:"" help:"Accept tokens without exp."`
	AuthSubject      string        `default:"sub" reload:"" placeholder:"CLAIM" help:"Claim that says who it is; default: sub."`
	AuthCookie       string        `reload:"" placeholder:"NAME" help:"Cookie with the token, for those who send none in auth.token or Authorization. Needs --origin to name origins."`
	AuthWarn         time.Duration `default:"30s" help:"How long before its token expires a client is sent the event expiring; 0 sends none."`

	AuthWebhook            string        `reload:"" placeholder:"URL" help:"Backend that is asked about every client, by POST with JSON: 200 lets in, 4xx refuses."`
	AuthWebhookTimeout     time.Duration `default:"3s" reload:"" help:"How long it may take, the wait for a place included."`
	AuthWebhookSecret      string        `secret:"" reload:"" placeholder:"TEXT" help:"Secret with which these requests are signed (header X-Fanfare-Signature)."`
	AuthWebhookSecretFile  string        `type:"existingfile" reload:"" placeholder:"FILE" help:"File with that secret. Read again on SIGHUP."`
	AuthWebhookHeaders     []string      `default:"Authorization,Origin,User-Agent" reload:"" placeholder:"NAME" help:"Request headers that the backend is told; default: Authorization, Origin, User-Agent. Cookie needs --origin to name origins."`
	AuthWebhookConcurrency int           `default:"64" reload:"" help:"Most requests to the backend at a time."`
	AuthWebhookQueue       int           `default:"256" reload:"" help:"Most clients that wait for one of these; others are refused."`
}

func (a *Auth) validate() error {
	return errors.Join(a.validateTokens(), a.validateWebhook())
}

// HasKeys reports that there are keys to verify tokens with.
func (a *Auth) HasKeys() bool {
	return a.AuthSecret != "" || a.AuthSecretFile != "" || a.AuthPublicKey != "" || a.AuthJWKS != ""
}

func (a *Auth) validateTokens() error {
	switch {
	case a.AuthSecret != "" && a.AuthSecretFile != "":
		return errors.New("--auth-secret and --auth-secret-file exclude each other: put all secrets into the file, one a line")
	case !a.HasKeys() && (a.AuthCookie != "" || a.AuthIssuer != "" || len(a.AuthAudience) > 0):
		return errors.New("--auth-cookie, --auth-issuer and --auth-audience do nothing without keys: give --auth-secret-file, --auth-public-key or --auth-jwks")
	case a.AuthJWKSRefresh < time.Second:
		return fmt.Errorf("--auth-jwks-refresh must be 1s or more, such as 15m, not %v", a.AuthJWKSRefresh)
	case a.AuthLeeway < 0 || a.AuthWarn < 0:
		return errors.New("--auth-leeway and --auth-warn must not be negative")
	case a.AuthSubject == "":
		return errors.New("--auth-subject must name a claim, such as sub")
	case strings.ContainsAny(a.AuthCookie, "=;, \t\""):
		return fmt.Errorf("--auth-cookie %q is not the name of a cookie", a.AuthCookie)
	}
	return nil
}

func (a *Auth) validateWebhook() error {
	if a.AuthWebhook == "" {
		if a.AuthWebhookSecret != "" || a.AuthWebhookSecretFile != "" {
			return errors.New("--auth-webhook-secret does nothing without --auth-webhook")
		}
		return nil
	}
	u, err := url.Parse(a.AuthWebhook)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return errors.New("--auth-webhook must be a URL such as https://backend.example.com/connect")
	case a.AuthWebhookTimeout <= 0:
		return errors.New("--auth-webhook-timeout must be more than 0, such as 3s")
	case a.AuthWebhookSecret != "" && a.AuthWebhookSecretFile != "":
		return errors.New("--auth-webhook-secret and --auth-webhook-secret-file exclude each other")
	case a.AuthWebhookConcurrency < 1 || a.AuthWebhookQueue < 0 || a.AuthWebhookConcurrency+a.AuthWebhookQueue > maxWebhookLoad:
		return fmt.Errorf("--auth-webhook-concurrency must be 1 or more, and %d at most together with --auth-webhook-queue: each takes a worker from the chat", maxWebhookLoad)
	}
	return nil
}

// Cookies reports that cookies say who somebody is, so that it matters whose pages connect.
func (a *Auth) Cookies() bool {
	return a.AuthCookie != "" || a.AuthWebhook != "" &&
		slices.ContainsFunc(a.AuthWebhookHeaders, func(h string) bool { return strings.EqualFold(h, "Cookie") })
}

// validateOrigins keeps pages of strangers from using the cookies of those who visit them.
func (a *Auth) validateOrigins(l *Listen) error {
	if a.Cookies() && slices.Contains(l.Origin, "*") {
		return errors.New("--origin=* lets every page on the web connect with its visitors' cookies: name the origins with --origin, such as https://example.com, or do without --auth-cookie and without Cookie in --auth-webhook-headers")
	}
	return nil
}
