package config

import (
	"io"
	"log/slog"
)

// Logging is what the program says of itself, on standard error.
type Logging struct {
	LogLevel  slog.Level `env:"LOG_LEVEL" default:"info" reload:"" help:"debug, info, warn or error."`
	LogFormat string     `env:"LOG_FORMAT" default:"text" enum:"text,json" help:"text or json."`
}

// Logger returns a logger in that format; level is read with each line. Tokens,
// cookies and passwords do not reach it.
func (l *Logging) Logger(w io.Writer, level slog.Leveler) *slog.Logger {
	h := &slog.HandlerOptions{Level: level, ReplaceAttr: redact}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, h))
	}
	return slog.New(slog.NewTextHandler(w, h))
}
