package main

import (
	"context"
	"io/fs"
	"os"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/cmd/chat/page"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// newServer returns the chat's server, its page and its contract, which docs/chat.md describes.
func newServer(p *parts) *socketio.Server {
	c, log := p.config, p.log
	files, client := clientFiles(c)
	options := socketio.Options{
		CORS:            origins(c),
		Handler:         p.ready.before(withAdminPage(c, page.Handler(page.Options{ClientURL: client, Servers: c.Chat.PageServer}))),
		ClientFiles:     files,
		TLS:             tlsOf(p.certificate),
		MaxConnections:  c.Clients.MaxConnections,
		AcceptRate:      c.Clients.AcceptRate,
		AcceptBurst:     c.Clients.AcceptBurst,
		PingInterval:    c.Clients.PingInterval,
		PingTimeout:     c.Clients.PingTimeout,
		ShutdownTimeout: c.Drain.ShutdownTimeout,
		ExpiryNotice:    c.Auth.AuthWarn,
		KeepHandshake:   c.API.Address() != "", // which tells where clients are, for 1 KB each

		Limits:            c.Limits.Engine(),
		OnLimited:         (&limitLog{log: log}).met,
		MaxHTTPBufferSize: int64(c.Limits.MaxHTTPBufferSize),
		MaxRooms:          c.Limits.MaxRooms + conversation.OwnRooms,
		MaxNamespaces:     c.Limits.MaxNamespaces,
		TrustedProxies:    c.Proxies.Trusted(),
		ClientHeader:      c.Proxies.ClientHeader,
		ProxyProtocol:     c.Proxies.Protocol(),

		Adapter:                 adapterOf(p.fleet),
		AckError:                conversation.AckError,
		ConnectionStateRecovery: recoveryOf(c),
		Logger:                  log,
	}
	if p.forward != nil {
		p.forward.Equip(&options)
	}
	server := socketio.New(options)
	server.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		log.Debug("connected", "id", s.ID(), "recovered", s.Recovered())
		return nil
	})
	server.OnDisconnect(func(_ context.Context, s *socketio.Socket, r socketio.Reason) {
		log.Debug("disconnected", "id", s.ID(), "reason", r)
	})
	p.chat = conversation.New(server, p.history, conversation.Options{
		MaxText: c.Chat.MaxText, MaxRooms: c.Chat.MaxChatRooms, PresenceRate: c.Chat.PresenceRate,
		Fleet: p.fleet != nil,
	})
	return server
}

// recoveryOf returns nil where it is off. Where clients have something to prove they prove it
// again: a key may have been taken away meanwhile, and the backend may have changed its mind.
func recoveryOf(c *config.Config) *socketio.Recovery {
	if c.Recovery.RecoveryWindow == 0 {
		return nil
	}
	return &socketio.Recovery{
		MaxDisconnectionDuration: c.Recovery.RecoveryWindow,
		MaxBytes:                 int64(c.Recovery.RecoveryMemory),
		RunMiddlewares:           c.Auth.HasKeys() || c.Auth.AuthWebhook != "",
	}
}

// clientFiles returns the folder with the official client, and where the page
// finds it: nothing and the page's default, the CDN, where no folder was given.
func clientFiles(c *config.Config) (fs.FS, string) {
	if c.Listen.ClientFiles == "" {
		return nil, ""
	}
	return os.DirFS(c.Listen.ClientFiles), "/socket.io/" + config.ClientFile
}
