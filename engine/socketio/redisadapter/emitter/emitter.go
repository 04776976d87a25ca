// Package emitter sends to the clients of a cluster from a process that has no server,
// through Redis: what @socket.io/redis-emitter 5.1 does for servers with Node's classic
// adapter, and @socket.io/redis-streams-emitter 0.1 for those with its streams adapter, in
// their bytes.
//
//	e, err := emitter.New(emitter.Options{URL: "redis://localhost:6379"})
//	…
//	err = e.To("room").Except("banned").Emit(ctx, "news", "hello")
//
// It hears nothing, so there are no acknowledgements, and nobody says whether there was
// anybody. That Redis has taken a message is known when a method returns nil.
package emitter

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

// uid is the name of all emitters.
const uid = "emitter"

// Options configure an Emitter. The zero value of each field means its default.
type Options struct {
	// Client is used and not closed by the Emitter.
	Client rueidis.Client
	// URL makes a client of the Emitter's own, where Client is nil; default
	// redis://localhost:6379. See rueidis.ParseURL.
	URL string
	// Prefix of the names of channels, for servers of Mode Classic; default "socket.io".
	// Node: key.
	Prefix string
	// Streams is for servers of Mode Streams. Others are of Mode Classic.
	Streams bool
	// StreamName is where these read; default "socket.io". Where they have several streams
	// it is the whole name of the one that the namespace has. Node: streamName.
	StreamName string
	// MaxLen is how many entries the stream keeps, about; default 10,000. Node: maxLen.
	MaxLen int
}

// Emitter sends to all clients of a namespace. It is safe for concurrent use.
type Emitter struct {
	operator
	own bool // the client is the Emitter's
}

// sender is what all operators of an Emitter have.
type sender struct {
	options Options
	client  rueidis.Client
}

// New connects to Redis, which must answer.
func New(options Options) (*Emitter, error) {
	if options.Prefix == "" {
		options.Prefix = "socket.io"
	}
	if options.StreamName == "" {
		options.StreamName = "socket.io"
	}
	if options.MaxLen <= 0 {
		options.MaxLen = 10_000
	}
	e := &Emitter{operator: operator{sender: &sender{options, options.Client}, nsp: "/"}}
	if e.client != nil {
		return e, nil
	}
	url := options.URL
	if url == "" {
		url = "redis://localhost:6379"
	}
	o, err := rueidis.ParseURL(url)
	if err != nil {
		// What is wrong is not said, since that would show parts of a password.
		return nil, errors.New("emitter: Options.URL is not the URL of a Redis (it is not shown, as there may be a password in it)")
	}
	o.DisableCache = true
	if e.client, err = rueidis.NewClient(o); err != nil {
		return nil, fmt.Errorf("emitter: %w", err)
	}
	e.own = true
	return e, nil
}

// Close closes the connection, unless it was given.
func (e *Emitter) Close() {
	if e.own {
		e.client.Close()
	}
}

// Of returns an Emitter for another namespace, which need not be closed. Node: of.
func (e *Emitter) Of(namespace string) *Emitter {
	if !strings.HasPrefix(namespace, "/") {
		namespace = "/" + namespace
	}
	return &Emitter{operator: operator{sender: e.sender, nsp: namespace}}
}

// publish sends what servers of Mode Classic hear.
func (s *sender) publish(ctx context.Context, channel string, body []byte) error {
	return s.do(ctx, s.client.B().Publish().Channel(channel).Message(rueidis.BinaryString(body)).Build())
}

// add sends what servers of Mode Streams read.
func (s *sender) add(ctx context.Context, nsp string, kind int, data string) error {
	return s.do(ctx, s.client.B().Xadd().Key(s.options.StreamName).Maxlen().Almost().Threshold(strconv.Itoa(s.options.MaxLen)).Id("*").
		FieldValue().FieldValue("uid", uid).FieldValue("nsp", nsp).FieldValue("type", strconv.Itoa(kind)).FieldValue("data", data).Build())
}

func (s *sender) do(ctx context.Context, cmd rueidis.Completed) error {
	if err := s.client.Do(ctx, cmd).Error(); err != nil {
		return fmt.Errorf("emitter: %w", err)
	}
	return nil
}
