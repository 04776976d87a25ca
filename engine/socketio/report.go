package socketio

import (
	"context"
	"errors"
	"log/slog"
)

// failed reports the error of an event's handler.
func (s *Socket) failed(ctx context.Context, event []byte, err error) {
	s.report(ctx, ofEvent(string(event), err))
}

// ofEvent makes an error name its event. An *ArgError of this event does already,
// and one of Args.Decode names none; that of another event, such as one which the
// handler asked the client, is an error like any other.
func ofEvent(event string, err error) error {
	if arg, ok := err.(*ArgError); ok && arg.Event == "" {
		return &ArgError{event, arg.Err}
	}
	var arg *ArgError
	if errors.As(err, &arg) && arg.Event == event {
		return err
	}
	return &EventError{event, err}
}

// OnError registers fn for what goes wrong in this socket's handlers and
// middlewares, in place of Options.OnError: the errors of which that one's comment
// speaks. Called where the handler ran. Node: the socket's "error" event, which
// crashes the process where nobody listens.
func (s *Socket) OnError(fn func(ctx context.Context, err error)) (remove func()) {
	h := &errorHandler{fn}
	s.edit(func(t *ownTable) { t.errors = with(t.errors, h) })
	return func() { s.edit(func(t *ownTable) { t.errors = without(t.errors, h) }) }
}

type errorHandler struct {
	run func(ctx context.Context, err error)
}

// errorHandlers returns those of OnError.
func (s *Socket) errorHandlers() []*errorHandler {
	s.mu.Lock()
	defer s.mu.Unlock()
	if own := s.own(); own != nil {
		return own.errors
	}
	return nil
}

// report hands an error to the socket's OnError functions, or Options.OnError. What
// panics there is logged: nothing is left to report it to.
func (s *Socket) report(ctx context.Context, err error) {
	v := s.nsp.server
	defer func() {
		if r := recover(); r != nil {
			v.options.Logger.Error("socketio: panic in OnError", "panic", r, "while", err)
		}
	}()
	v.stats.errors.Add(1)
	own := s.errorHandlers()
	for _, h := range own {
		h.run(ctx, err)
	}
	if len(own) == 0 {
		v.options.OnError(ctx, s, err)
	}
}

// logError is the default of Options.OnError. What only says that a client has
// gone meanwhile is no news.
func (v *Server) logError(ctx context.Context, s *Socket, err error) {
	level, attrs := slog.LevelWarn, []slog.Attr{
		slog.String("socket", s.ID()), slog.String("namespace", s.nsp.name), slog.Any("error", err),
	}
	var p *PanicError
	switch {
	case errors.As(err, &p):
		level, attrs = slog.LevelError, append(attrs, slog.String("stack", string(p.Stack)))
	case errors.Is(err, ErrDisconnected), errors.Is(err, context.Canceled) && !s.Connected():
		level = slog.LevelDebug
	}
	v.options.Logger.LogAttrs(ctx, level, "socketio: handler failed", attrs...)
}
