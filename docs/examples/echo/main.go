// Echo mounts a Socket.IO server in labstack/echo.
package main

import (
	"log"
	"net/http"

	"github.com/fanfare-go/fanfare/docs/examples/chat"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

func routes(io *socketio.Server) http.Handler {
	e := echo.New()
	e.Use(middleware.Recover(), middleware.RequestID())
	e.Any("/socket.io/*", echo.WrapHandler(io))
	e.GET("/hello", func(c echo.Context) error { return c.String(http.StatusOK, "hello") })
	return e
}

func main() {
	log.Fatal(http.ListenAndServe(":3000", routes(chat.New())))
}
