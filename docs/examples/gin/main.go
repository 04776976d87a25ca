// Gin mounts a Socket.IO server in gin-gonic/gin.
package main

import (
	"log"
	"net/http"

	"github.com/fanfare-go/fanfare/docs/examples/chat"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/gin-gonic/gin"
)

func routes(io *socketio.Server) http.Handler {
	r := gin.New()
	r.Use(gin.Recovery())
	r.Any("/socket.io/*any", gin.WrapH(io))
	r.GET("/hello", func(c *gin.Context) { c.String(http.StatusOK, "hello") })
	return r
}

func main() {
	gin.SetMode(gin.ReleaseMode)
	log.Fatal(http.ListenAndServe(":3000", routes(chat.New())))
}
