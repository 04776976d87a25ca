// Nethttp mounts a Socket.IO server in an application of net/http, with or without TLS.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/fanfare-go/fanfare/docs/examples/chat"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// routes is the application: its pages, and the chat beside them.
func routes(io *socketio.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	mux.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("hello"))
	})
	return mux
}

func main() {
	addr := flag.String("addr", ":3000", "where to listen")
	cert := flag.String("cert", "", "certificate file, for HTTPS and HTTP/2")
	key := flag.String("key", "", "its key")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	io := chat.New()
	server := &http.Server{Addr: *addr, Handler: routes(io), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = io.Shutdown(ctx) // first: polls wait otherwise
		_ = server.Shutdown(ctx)
	})
	var err error
	if *cert != "" {
		err = server.ListenAndServeTLS(*cert, *key)
	} else {
		err = server.ListenAndServe()
	}
	if !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
