package main

import (
	"context"
	"crypto/tls"
	"io/fs"
	"log/slog"
	"os"

	"github.com/fanfare-go/fanfare/cmd/chat/page"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// The contract with every front end.
const (
	chatMessage socketio.Call[string, struct{}] = "chatMessage" // from a client: what somebody wrote; acknowledged, where asked for, after the reply
	reply       socketio.Event[string]          = "reply"       // to everybody, the sender included
)

// newServer returns the chat: its page and its contract.
func newServer(o *options, config *tls.Config, log *slog.Logger) *socketio.Server {
	files, client := clientFiles(o)
	server := socketio.New(socketio.Options{
		CORS:            socketio.CORS{Origins: o.Origin},
		Handler:         page.Handler(page.Options{ClientURL: client}),
		ClientFiles:     files,
		TLS:             config,
		MaxConnections:  o.MaxConnections,
		AcceptRate:      o.AcceptRate,
		AcceptBurst:     o.AcceptBurst,
		PingInterval:    o.PingInterval,
		PingTimeout:     o.PingTimeout,
		ShutdownTimeout: o.ShutdownTimeout,
		Logger:          log,
	})
	server.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		log.Debug("connected", "id", s.ID())
		return nil
	})
	server.OnDisconnect(func(_ context.Context, s *socketio.Socket, r socketio.Reason) {
		log.Debug("disconnected", "id", s.ID(), "reason", r)
	})
	socketio.OnAck(server, chatMessage, func(_ context.Context, _ *socketio.Socket, text string) (struct{}, error) {
		return struct{}{}, reply.Emit(server, text)
	})
	return server
}

// clientFile is the official client, in the npm package's folder and below /socket.io/.
const clientFile = "socket.io.min.js"

// clientFiles returns the folder with the official client, and where the page
// finds it: nothing and the page's default, the CDN, where no folder was given.
func clientFiles(o *options) (fs.FS, string) {
	if o.ClientFiles == "" {
		return nil, ""
	}
	return os.DirFS(o.ClientFiles), "/socket.io/" + clientFile
}
