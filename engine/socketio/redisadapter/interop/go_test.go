package interop_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/emitter"
)

// goServer is one of ours, in this process.
type goServer struct {
	name   string
	io     *socketio.Server
	served chan error

	connection *redisadapter.Fleet
	emitter    emitter.Options // for its fleet

	pump  pump
	mu    sync.Mutex
	heard map[string][][]any // guarded by mu: of other servers, by namespace
	news  chan struct{}      // guarded by mu: closed and replaced when heard grows
}

// label is what the application knows of a socket; Node's socket.data.label.
var label = socketio.NewSharedKey[string]("label")

// startGo starts a server that adapter connects with others.
func startGo(name string, adapter func(*socketio.MemoryAdapter) socketio.Adapter, namespaces []string, recovery bool) (*goServer, error) {
	s := &goServer{name: name, heard: map[string][][]any{}, news: make(chan struct{}), served: make(chan error, 1)}
	o := socketio.Options{Adapter: adapter, KeepHandshake: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if recovery {
		o.ConnectionStateRecovery = &socketio.Recovery{}
	}
	s.io = socketio.New(o)
	for _, n := range namespaces {
		s.furnish(s.io.Of(n))
	}
	s.io.OfPattern(regexp.MustCompile(`^/dynamic-\w+$`))
	s.io.OnNewNamespace(s.furnish)
	if err := s.io.Listen("127.0.0.1:0"); err != nil {
		return nil, err
	}
	go func() { s.served <- s.io.Serve(context.Background()) }()
	return s, nil
}

func (s *goServer) furnish(n *socketio.Namespace) {
	socketio.OnServerSide(n, "hello", func(_ context.Context, args socketio.Args) error {
		got := []any{}
		for i := range args.Len() {
			var v any
			if err := args.At(i).Decode(&v); err != nil {
				return err
			}
			got = append(got, v)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.heard[n.Name()] = append(s.heard[n.Name()], got)
		close(s.news)
		s.news = make(chan struct{})
		return nil
	})
	socketio.OnServerSideAck(n, "question", func(_ context.Context, word string) (string, error) {
		return word + " from " + s.name, nil
	})
	socketio.OnServerSideAck(n, "mirror", func(_ context.Context, v socketio.Args) (socketio.Args, error) {
		return v.Clone(), nil
	})
	socketio.OnServerSideAck(n, "silence", func(ctx context.Context, _ int) (int, error) {
		return 0, errors.New("silent")
	})
}

func (s *goServer) url() string { return "http://" + s.io.Addr().String() }

func (s *goServer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return errors.Join(s.io.Shutdown(ctx), <-s.served, s.connection.Close())
}

func (s *goServer) do(t testing.TB, o order) result {
	t.Helper()
	r, err := s.try(o)
	if err != nil {
		t.Fatalf("%s: %s: %v", s.name, o.Op, err)
	}
	return r
}

func (s *goServer) try(o order) (result, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return result{}, err
	}
	return s.obey(text)
}

// obey carries out an order that came as text.
func (s *goServer) obey(text []byte) (result, error) {
	var o order
	var raw struct{ Args json.RawMessage }
	if err := errors.Join(json.Unmarshal(text, &o), json.Unmarshal(text, &raw)); err != nil {
		return result{}, err
	}
	args, err := values(raw.Args)
	if err != nil {
		return result{}, err
	}
	if o.Namespace == "" {
		o.Namespace = "/"
	}
	n, ok := s.io.Namespace(o.Namespace)
	if !ok {
		return result{}, fmt.Errorf("no namespace %s", o.Namespace)
	}
	o.Args = args
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	if o.Timeout > 0 {
		ctx, cancel = context.WithTimeout(context.Background(), time.Duration(o.Timeout)*time.Millisecond)
	}
	defer cancel()
	return s.perform(ctx, n, &o)
}

func (s *goServer) perform(ctx context.Context, n *socketio.Namespace, o *order) (result, error) {
	rooms := names(o.Targets)
	switch o.Op {
	case "remote":
		return remote(ctx, n, o)
	case "tell":
		return result{}, n.ServerSideEmit(o.Event, o.Args...)
	case "consult":
		return consultAll(n, o)
	case "heard":
		return s.hear(ctx, o.Namespace, o.N)
	case "emitter":
		return s.emit(ctx, o)
	case "servers":
		count, err := n.ServerCount(ctx)
		return result{Count: count}, err
	case "rooms":
		sizes, err := n.Rooms(ctx)
		r := result{}
		for room := range sizes {
			r.Rooms = append(r.Rooms, room)
		}
		return r, err
	case "pump":
		s.pump.start(n, o)
		return result{}, nil
	case "halt":
		return result{Count: s.pump.halt()}, nil
	case "enter", "exit", "label", "direct":
		return s.handle(n, o, rooms)
	}
	to, err := target(n, o)
	if err != nil {
		return result{}, err
	}
	switch o.Op {
	case "emit":
		return result{}, to.Emit(o.Event, o.Args...)
	case "sequence":
		for i := range o.N {
			if err := to.Emit(o.Event, append([]any{i}, o.Args...)...); err != nil {
				return result{}, err
			}
		}
		return result{}, nil
	case "ask":
		return askAll(ctx, to, o)
	case "fetch":
		return fetchAll(ctx, to)
	case "join":
		return result{}, to.SocketsJoin(rooms...)
	case "leave":
		return result{}, to.SocketsLeave(rooms...)
	case "disconnect":
		return result{}, to.DisconnectSockets(o.Close)
	}
	return result{}, fmt.Errorf("no order %q", o.Op)
}

// target is whom an order is for.
func target(n *socketio.Namespace, o *order) (socketio.BroadcastOperator, error) {
	to := n.Compress(!o.NoCompress)
	if o.From != "" {
		socket, ok := n.Socket(o.From)
		if !ok {
			return to, fmt.Errorf("no socket %s", o.From)
		}
		to = socket.Broadcast().Compress(!o.NoCompress)
	}
	if o.Rooms != nil {
		to = to.To(names(o.Rooms)...)
	}
	if o.Except != nil {
		to = to.Except(names(o.Except)...)
	}
	if o.Volatile {
		to = to.Volatile()
	}
	if o.Local {
		to = to.Local()
	}
	return to, nil
}

// names are those of rooms: a number is its digits here.
func names(rooms []any) []string {
	var list []string
	for _, r := range rooms {
		list = append(list, fmt.Sprint(r))
	}
	return list
}

func askAll(ctx context.Context, to socketio.BroadcastOperator, o *order) (result, error) {
	answers, err := to.EmitWithAck(ctx, o.Event, o.Args...)
	r := result{Missing: err != nil}
	for _, a := range answers {
		r.Answers = append(r.Answers, first(a.Value))
	}
	return r, nil
}

// first is the first value of an answer, as JSON has it.
func first(a socketio.Args) any {
	if a.Len() == 0 {
		return nil
	}
	var v any
	if err := a.At(0).Decode(&v); err != nil {
		return err.Error()
	}
	return freeze(v)
}

func consultAll(n *socketio.Namespace, o *order) (result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), consultPatience)
	defer cancel()
	answers, err := n.ServerSideEmitWithAck(ctx, o.Event, o.Args...)
	r := result{Missing: err != nil}
	for _, a := range answers {
		r.Answers = append(r.Answers, first(a.Args))
	}
	return r, nil
}

func fetchAll(ctx context.Context, to socketio.BroadcastOperator) (result, error) {
	sockets, err := to.FetchSockets(ctx)
	var r result
	for _, s := range sockets {
		r.Sockets = append(r.Sockets, describe(s))
	}
	return r, err
}

func describe(s *socketio.RemoteSocket) found {
	h := s.Handshake()
	f := found{ID: s.ID(), Rooms: s.Rooms()}
	f.Label, _ = label.Of(s)
	var auth struct{ Token string }
	_ = json.Unmarshal(h.Auth, &auth) // empty where there is none
	f.Handshake.Query, f.Handshake.Auth, f.Handshake.Header = h.Query.Get("q"), auth.Token, h.Headers.Get("X-Test")
	f.Handshake.Address, f.Handshake.Secure, f.Handshake.XDomain = h.Address, h.Secure, h.XDomain
	f.Handshake.Path = regexp.MustCompile(`^[^?]*`).FindString(h.URL)
	now := time.Now()
	f.Handshake.Recent = now.Sub(h.Time).Abs() < 10*time.Minute && now.Sub(time.UnixMilli(h.Issued)).Abs() < 10*time.Minute
	return f
}

// remote does something to one socket, wherever it is, that was fetched.
func remote(ctx context.Context, n *socketio.Namespace, o *order) (result, error) {
	sockets, err := n.In(o.ID).FetchSockets(ctx)
	if err != nil || len(sockets) == 0 {
		return result{}, errors.Join(err, fmt.Errorf("no socket %s", o.ID))
	}
	socket := sockets[0]
	switch o.Verb {
	case "emit":
		return result{}, socket.Emit(o.Event, o.Args...)
	case "join":
		return result{}, socket.Join(names(o.Targets)...)
	case "leave":
		return result{}, socket.Leave(names(o.Targets)...)
	case "disconnect":
		return result{}, socket.Disconnect(o.Close)
	}
	a, err := socket.EmitWithAck(ctx, o.Event, o.Args...)
	if err != nil {
		return result{Missing: true}, nil
	}
	return result{Answers: []any{first(a)}}, nil
}

// handle does something to one socket of this server.
func (s *goServer) handle(n *socketio.Namespace, o *order, rooms []string) (result, error) {
	socket, ok := n.Socket(o.ID)
	if !ok {
		return result{}, fmt.Errorf("no socket %s", o.ID)
	}
	switch o.Op {
	case "enter":
		return result{}, socket.Join(rooms...)
	case "exit":
		socket.Leave(rooms...)
	case "label":
		label.Set(socket, o.Label)
	case "direct":
		return result{}, socket.Emit(o.Event, o.Args...)
	}
	return result{}, nil
}

// hear waits for n events of other servers.
func (s *goServer) hear(ctx context.Context, namespace string, n int) (result, error) {
	for {
		s.mu.Lock()
		heard, news := s.heard[namespace], s.news
		if len(heard) >= n {
			s.heard[namespace] = slices.Clone(heard[n:])
			s.mu.Unlock()
			return result{Heard: freezeAll(heard[:n])}, nil
		}
		s.mu.Unlock()
		select {
		case <-news:
		case <-ctx.Done():
			return result{}, fmt.Errorf("heard %d of %d events", len(heard), n)
		}
	}
}

func freezeAll(lists [][]any) [][]any {
	for _, l := range lists {
		freeze(l)
	}
	return lists
}
