package main

import (
	"log/slog"

	"github.com/fanfare-go/fanfare/cmd/chat/auth"
	"github.com/fanfare-go/fanfare/cmd/chat/config"
)

// ownAuth are the namespaces that see to it themselves who is let in.
var ownAuth = []string{"/admin"}

// authOptions is what an operator wants, in the words of package auth: for its New, and,
// on SIGHUP, for Reload.
func authOptions(c *config.Auth, log *slog.Logger) auth.Options {
	return auth.Options{
		Optional:      !c.AuthRequired,
		Secret:        c.AuthSecret,
		SecretFile:    c.AuthSecretFile,
		PublicKeyFile: c.AuthPublicKey,
		JWKS:          c.AuthJWKS,
		JWKSRefresh:   c.AuthJWKSRefresh,
		Issuer:        c.AuthIssuer,
		Audience:      c.AuthAudience,
		Leeway:        c.AuthLeeway,
		AllowForever:  c.AuthAllowForever,
		SubjectClaim:  c.AuthSubject,
		Cookie:        c.AuthCookie,
		Warn:          c.AuthWarn > 0,
		Webhook: auth.Webhook{
			URL:         c.AuthWebhook,
			Timeout:     c.AuthWebhookTimeout,
			Secret:      c.AuthWebhookSecret,
			SecretFile:  c.AuthWebhookSecretFile,
			Headers:     c.AuthWebhookHeaders,
			Concurrency: c.AuthWebhookConcurrency,
			Queue:       c.AuthWebhookQueue,
		},
		Logger: log,
	}
}
