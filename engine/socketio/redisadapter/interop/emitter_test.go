package interop_test

import (
	"context"
	"fmt"

	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/emitter"
)

// emit is what a process of ours without a server sends.
func (s *goServer) emit(ctx context.Context, o *order) (result, error) {
	e, err := emitter.New(s.emitter)
	if err != nil {
		return result{}, err
	}
	defer e.Close()
	of := e.Of(o.Namespace)
	to := of.To(names(o.Rooms)...).Except(names(o.Except)...)
	if o.Volatile {
		to = to.Volatile()
	}
	switch o.Verb {
	case "emit":
		return result{}, to.Emit(ctx, o.Event, o.Args...)
	case "join":
		return result{}, to.SocketsJoin(ctx, names(o.Targets)...)
	case "leave":
		return result{}, to.SocketsLeave(ctx, names(o.Targets)...)
	case "disconnect":
		return result{}, to.DisconnectSockets(ctx, o.Close)
	case "tell":
		return result{}, of.ServerSideEmit(ctx, o.Event, o.Args...)
	}
	return result{}, fmt.Errorf("no verb %q", o.Verb)
}

// emitterOptions are those for the servers of a fleet.
func emitterOptions(o redisadapter.Options) emitter.Options {
	return emitter.Options{URL: o.URL, Prefix: o.Prefix, Streams: o.Mode == redisadapter.Streams, StreamName: o.Streams.Name}
}
