package api

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Options configure a Server. The zero value of each field means its default.
type Options struct {
	// Server is what the API publishes to. Required.
	Server *socketio.Server
	// Keys let clients in, whichever they show; without any nobody is let in. They are
	// kept as digests. See SetKeys.
	Keys []string
	// TLS has the API speak https; default: http.
	TLS *tls.Config

	// Chat reads and writes the messages of the chat; default: there are none, and
	// /v1/history and /v1/messages say so.
	Chat Chat
	// User says who a socket is: an id that stays the same for one person, empty for a
	// guest, and a name to be shown. It must not block. Default: nobody is known.
	User func(s *socketio.Socket) (id, name string)
	// Version is the program's, for /v1/info; default none.
	Version string

	// MaxBody bounds a request's body, in bytes; default 1 MiB.
	MaxBody int
	// MaxConcurrent is how many requests may be at work at the same time; what comes
	// beyond is answered 503 with a Retry-After. Default 256.
	MaxConcurrent int
	// MaxBatch is how many emits one request may have; default 1,000.
	MaxBatch int
	// MaxPage is how many sockets, rooms, members or messages one answer may have;
	// default 1,000.
	MaxPage int
	// MaxNames is how many rooms a request may name, each of 256 bytes at most; default 1,000.
	MaxNames int
	// MaxAckTimeout is how long a request may wait for acknowledgements; default 30 s.
	MaxAckTimeout time.Duration
	// MaxAnswers is how many acknowledgements one answer lists; default 10,000. Those
	// beyond are counted.
	MaxAnswers int
	// MaxAnswerBytes is how many bytes they may have; default 4 MiB.
	MaxAnswerBytes int
	// Timeout is how long everything else may take; default 10 s.
	Timeout time.Duration
	// IdempotencyTTL is how long the answer to a request with an Idempotency-Key is
	// kept; default 10 min.
	IdempotencyTTL time.Duration
	// MaxIdempotent is how many such answers are kept, the oldest go first; default 10,000.
	MaxIdempotent int
	// MaxIdempotentBytes is how many bytes they may have; default 16 MiB.
	MaxIdempotentBytes int

	// Logger gets what an operator should know; default slog.Default().
	Logger *slog.Logger
}

// Chat is the chat's messages, for those who have nothing but HTTP. Its methods are safe
// for concurrent use. A *Problem among their errors is told the client as it is.
type Chat interface {
	// Publish sends a message to everybody whom it concerns and stores it. It returns the
	// message with its ID and time, and whether it is durable.
	Publish(ctx context.Context, m history.Message) (sent history.Message, stored bool, err error)
	// Before returns the last messages of a room before the one with that ID ("" for the
	// newest), oldest first, and whether there are more before them.
	Before(ctx context.Context, room, before string, limit int) (messages []history.Message, more bool, err error)
	// After returns the first messages of a room after the one with that ID, oldest
	// first, and whether there are more behind them.
	After(ctx context.Context, room, after string, limit int) (messages []history.Message, more bool, err error)
	// State says how the history is: "off", "healthy" or "degraded".
	State() string
}

func (o Options) withDefaults() Options {
	o.MaxBody = cmp.Or(o.MaxBody, 1<<20)
	o.MaxConcurrent = cmp.Or(o.MaxConcurrent, 256)
	o.MaxBatch = cmp.Or(o.MaxBatch, 1000)
	o.MaxPage = cmp.Or(o.MaxPage, 1000)
	o.MaxNames = cmp.Or(o.MaxNames, 1000)
	o.MaxAckTimeout = cmp.Or(o.MaxAckTimeout, 30*time.Second)
	o.MaxAnswers = cmp.Or(o.MaxAnswers, 10_000)
	o.MaxAnswerBytes = cmp.Or(o.MaxAnswerBytes, 4<<20)
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	o.IdempotencyTTL = cmp.Or(o.IdempotencyTTL, 10*time.Minute)
	o.MaxIdempotent = cmp.Or(o.MaxIdempotent, 10_000)
	o.MaxIdempotentBytes = cmp.Or(o.MaxIdempotentBytes, 16<<20)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	return o
}
