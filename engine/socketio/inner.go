package socketio

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
)

// StartInner starts the server without a network, in place of Listen: one event loop,
// no port, no descriptors, and clients within the process that OpenInner makes. It
// works inside of a testing/synctest bubble. Package socketiotest is made of it.
// Serve, or Shutdown alone, must follow.
func (v *Server) StartInner() error { return v.start(v.engine.StartInner) }

// OpenInner connects a client within the process to a server that StartInner started:
// packets of Socket.IO go in and out as they are. See [engine.Server.OpenInner] for
// what the request is for, and what is not asked about it.
func (v *Server) OpenInner(r *http.Request, p Peer, recv engine.InnerReceiver) (*engine.Inner, error) {
	k, err := v.engine.OpenInner(r, p, recv)
	if err != nil {
		return nil, fmt.Errorf("socketio: %w", err)
	}
	return k, nil
}

// stableLooks is how often in a row nothing may have happened until a server counts as
// settled: a worker's last words need one look to get out, an answer that a client gives
// at once another to come in.
const stableLooks = 3

// SettleInner returns when a server that StartInner started has nothing to do: no handler
// runs or waits, and what was sent has arrived. Timers are not waited for, nor are
// goroutines that handlers have started; a handler that waits for something is. Errors:
// ErrServerClosed, and ctx's.
func (v *Server) SettleInner(ctx context.Context) error {
	workers := v.workers.Load()
	if workers == nil {
		return ErrServerClosed
	}
	before := uint64(0)
	for stable := 0; stable < stableLooks; {
		packets, ok := v.engine.SettleInner()
		if !ok {
			return ErrServerClosed
		}
		busy, _ := workers.load()
		switch {
		case busy > 0:
			if err := workers.wait(ctx); err != nil {
				return fmt.Errorf("socketio: a handler is at work: %w", err)
			}
			stable = 0
		case packets != before:
			stable = 0
		default:
			stable++
		}
		before = packets
	}
	return nil
}

// EncodeArgs encodes arguments as Emit does, attachments included, with the default codec: for those who
// speak for a client, or carry arguments elsewhere. Errors are those of Emit.
func EncodeArgs(values ...any) (Args, error) {
	list, attachments, err := appendArgs(nil, nil, values)
	if err != nil {
		return Args{}, err
	}
	return newArgs(bytes.TrimPrefix(list, []byte{','}), attachments, nil), nil
}

// ParseArgs returns the arguments whose String and Attachments are given, or those of a
// packet from elsewhere: a JSON array without the event's name, which is copied. Errors
// are package parser's: the array must be valid JSON within its default bounds, and its
// placeholders must refer to the attachments.
func ParseArgs(array []byte, attachments [][]byte) (Args, error) {
	limits := parser.Limits{Attachments: parser.MaxAttachments}
	p, err := parser.Decode(parser.AppendAck(nil, "/", 0, len(attachments), array), &limits)
	if err != nil {
		return Args{}, fmt.Errorf("socketio: %w", err)
	}
	list := parser.NewArgs(p.Data)
	return newArgs(list.Rest(), attachments, nil), nil
}
