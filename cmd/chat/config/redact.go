package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

const redacted = "(redacted)"

// secretKeys are attributes of which no value belongs into a log, whoever logs it.
var secretKeys = []string{"token", "authorization", "cookie", "set-cookie", "password", "secret", "api-key", "auth"}

// secretQuery finds what clients put into a URL for want of a header.
var secretQuery = regexp.MustCompile(`(?i)([?&](?:token|access_token|auth|password|api_key|key|secret|sig|signature)=)[^&\s"]*`)

// secretUser finds the password of a URL such as a database's.
var secretUser = regexp.MustCompile(`(://[^/\s:@]*:)[^/\s@]+@`)

// redact is slog's ReplaceAttr: it takes away what must not be logged, and has JSON say in
// words what has words, such as a duration with its unit.
func redact(_ []string, a slog.Attr) slog.Attr {
	if slices.Contains(secretKeys, strings.ToLower(a.Key)) {
		return slog.String(a.Key, redacted)
	}
	switch v := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(RedactText(v))
	case error:
		a.Value = slog.StringValue(RedactText(v.Error()))
	case *url.URL:
		a.Value = slog.StringValue(RedactText(v.String()))
	case time.Time, json.Marshaler, encoding.TextMarshaler: // those have words of their own
	case fmt.Stringer:
		a.Value = slog.StringValue(RedactText(fmt.Sprint(v))) // which takes a nil pointer, too
	}
	return a
}

// RedactText takes passwords and tokens out of URLs in a text.
func RedactText(s string) string {
	if !strings.ContainsAny(s, "?&@") {
		return s
	}
	s = secretQuery.ReplaceAllString(s, "${1}"+redacted)
	return secretUser.ReplaceAllString(s, "${1}"+redacted+"@")
}

// RedactArgs is a command line without the values of options that are secret, and without
// passwords in URLs.
func RedactArgs(args []string, options []Option) []string {
	shown := make([]string, len(args))
	hide := false // this one is the value of the one before
	for i, arg := range args {
		name, _, together := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		secret := strings.HasPrefix(arg, "--") && slices.ContainsFunc(options, func(o Option) bool { return o.Secret && o.Name == name })
		switch {
		case hide:
			shown[i] = redacted
		case secret && together:
			shown[i] = "--" + name + "=" + redacted
		default:
			shown[i] = RedactText(arg)
		}
		hide = secret && !together && !hide
	}
	return shown
}
