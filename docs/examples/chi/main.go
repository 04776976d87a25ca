// Chi mounts a Socket.IO server in a router of go-chi/chi.
package main

import (
	"log"
	"net/http"

	"github.com/fanfare-go/fanfare/docs/examples/chat"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// routes has middlewares around all of it: those of chi let WebSockets through.
func routes(io *socketio.Server) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.RealIP, middleware.RequestID, middleware.Recoverer)
	r.Mount("/socket.io", io)
	r.Get("/hello", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("hello"))
	})
	return r
}

func main() {
	log.Fatal(http.ListenAndServe(":3000", routes(chat.New())))
}
