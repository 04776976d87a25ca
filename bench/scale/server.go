package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// The contract with the clients: what one writes, everybody receives.
const (
	chatMessage socketio.Event[string] = "chatMessage"
	reply       socketio.Event[string] = "reply"
)

// pingVariable tells a server its heartbeat; the library's default where it is unset.
const pingVariable = "FANFARE_BENCH_SCALE_PING"

// beServer is a chat server, as a user of the library would write it.
func beServer(in io.Reader, out io.Writer) error {
	ping, _ := time.ParseDuration(os.Getenv(pingVariable))
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	f, err := joinFleet(context.Background(), log)
	if err != nil {
		return err
	}
	server := socketio.New(socketio.Options{
		Adapter:         f.adapter,
		PingInterval:    ping,
		ShutdownTimeout: time.Second, // the clients have gone, or nobody cares
		Logger:          log,
	})
	socketio.On(server, chatMessage, func(_ context.Context, _ *socketio.Socket, text string) error {
		return reply.Emit(server, text)
	})
	if err := server.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	fmt.Fprintf(out, "listening %s %s\n", server.Addr(), f.addr)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	obeyed := make(chan error, 1)
	go func() {
		obeyed <- obey(in, out, func(o order) (answer, error) { return answerAbout(server, f, o) })
		stop()
	}()
	err = errors.Join(server.Serve(ctx), f.close())
	select {
	case obeyErr := <-obeyed:
		return errors.Join(err, obeyErr)
	default: // a signal, or Serve failed
		return err
	}
}

func answerAbout(server *socketio.Server, f *fleet, o order) (answer, error) {
	switch o.Op {
	case "gather":
		return answer{}, gather(server, o.N, o.Patience)
	case "bytes":
		return answer{Bytes: f.bytes()}, nil
	case "memory":
		return answer{Heap: heap(), Open: server.Stats().Sockets["/"]}, nil
	}
	return answer{}, fmt.Errorf("unknown order %q", o.Op)
}

// heap is how many bytes are in use after a collection.
func heap() int64 {
	// twice: what a pool has put aside survives the first
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
