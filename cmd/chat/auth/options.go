package auth

import (
	"log/slog"
	"time"
)

// Options say who is let in. The zero value lets everybody in, as a guest.
type Options struct {
	// Optional lets clients without a token in, as guests; default: they are refused. One
	// whose token is wrong is refused in any case.
	Optional bool
	// Secret has signed tokens with HS256, HS384 or HS512: 32 bytes at least (RFC 7518,
	// 3.2). Default: none.
	Secret string
	// SecretFile is a file with such secrets, one a line. Default: none.
	SecretFile string
	// PublicKeyFile is a file with public keys or certificates in PEM. Default: none.
	PublicKeyFile string
	// JWKS is the file or http(s) URL of a JSON Web Key Set (RFC 7517). Secrets and
	// private keys in it are no use. Default: none.
	JWKS string
	// JWKSRefresh is how often the URL is asked; default 15 min.
	JWKSRefresh time.Duration
	// JWKSGap is the least time between fetches that tokens with unknown keys cause;
	// default 10 s.
	JWKSGap time.Duration
	// Issuer is what iss must be; default: anything.
	Issuer string
	// Audience has what aud must have one of; default: anything.
	Audience []string
	// Leeway is how far clocks may differ; default 0.
	Leeway time.Duration
	// AllowForever accepts tokens without exp; default: they are refused.
	AllowForever bool
	// SubjectClaim says who it is; default "sub".
	SubjectClaim string
	// Cookie is the name of a cookie with the token; default: none.
	Cookie string
	// Warn says that clients are sent "expiring" at socketio.Options.ExpiryNotice before their end.
	Warn bool
	// Webhook is asked about every client; the zero value: nobody is.
	Webhook Webhook
	// Logger gets what an operator should know; default slog.Default().
	Logger *slog.Logger
}

// Webhook is a backend that decides who is let in.
type Webhook struct {
	URL         string        // http or https; empty: none
	Timeout     time.Duration // of one question, the wait for a place included; default 3 s
	Secret      string        // signs the requests; default: they are not signed
	SecretFile  string        // instead of Secret
	Headers     []string      // of the client's request that are passed on; default none
	Concurrency int           // questions at a time; default 64
	Queue       int           // clients that wait for a place; 0: none
}

// Enabled reports that there is something to prove.
func (o *Options) Enabled() bool { return o.hasKeys() || o.Webhook.URL != "" }

func (o *Options) hasKeys() bool {
	return o.Secret != "" || o.SecretFile != "" || o.PublicKeyFile != "" || o.JWKS != ""
}

func (o Options) withDefaults() Options {
	o.JWKSRefresh = orElse(o.JWKSRefresh, 15*time.Minute)
	o.JWKSGap = orElse(o.JWKSGap, 10*time.Second)
	o.SubjectClaim = orElse(o.SubjectClaim, "sub")
	o.Webhook.Timeout = orElse(o.Webhook.Timeout, 3*time.Second)
	o.Webhook.Concurrency = orElse(o.Webhook.Concurrency, 64)
	o.Logger = orElse(o.Logger, slog.Default())
	return o
}

// orElse returns v, or the default where v is the zero value.
func orElse[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
