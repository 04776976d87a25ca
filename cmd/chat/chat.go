package main

import (
	"context"
	"io/fs"
	"os"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/cmd/chat/page"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// newServer returns the chat's server and its page. Its contract, which docs/chat.md describes, is the conversation's.
func newServer(c *config.Config, p *parts) *socketio.Server {
	log := p.log
	files, client := clientFiles(c)
	server := socketio.New(socketio.Options{
		CORS:            corsOf(c),
		Handler:         page.Handler(page.Options{ClientURL: client, Servers: c.Chat.PageServer}),
		ClientFiles:     files,
		TLS:             p.tls(),
		MaxConnections:  c.Clients.MaxConnections,
		AcceptRate:      c.Clients.AcceptRate,
		AcceptBurst:     c.Clients.AcceptBurst,
		PingInterval:    c.Clients.PingInterval,
		PingTimeout:     c.Clients.PingTimeout,
		ShutdownTimeout: c.Clients.ShutdownTimeout,
		MaxRooms:        conversation.MaxRooms,
		AckError:        conversation.AckError,
		Logger:          log,

		ConnectionStateRecovery: recoveryOf(&c.Recovery),
	})
	server.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		log.Debug("connected", "id", s.ID(), "recovered", s.Recovered())
		return nil
	})
	server.OnDisconnect(func(_ context.Context, s *socketio.Socket, r socketio.Reason) {
		log.Debug("disconnected", "id", s.ID(), "reason", r)
	})
	return server
}

// converse registers the chat's contract with the server.
func converse(c *config.Config, server *socketio.Server, h *history.History) *conversation.Conversation {
	return conversation.New(server, h, conversation.Options{
		MaxText: c.Chat.MaxText, MaxRooms: c.Chat.MaxRooms, PresenceRate: c.Chat.PresenceRate,
	})
}

// recoveryOf returns nil where it is off.
func recoveryOf(c *config.Recovery) *socketio.Recovery {
	if c.RecoveryWindow == 0 {
		return nil
	}
	return &socketio.Recovery{MaxDisconnectionDuration: c.RecoveryWindow, MaxBytes: int64(c.RecoveryMemory) << 20}
}

// corsOf says which origins' pages may connect.
func corsOf(c *config.Config) socketio.CORS { return socketio.CORS{Origins: c.Listen.Origin} }

// clientFiles returns the folder with the official client, and where the page
// finds it: nothing and the page's default, the CDN, where no folder was given.
func clientFiles(c *config.Config) (fs.FS, string) {
	if c.Listen.ClientFiles == "" {
		return nil, ""
	}
	return os.DirFS(c.Listen.ClientFiles), "/socket.io/" + config.ClientFile
}
