package main

import (
	"log/slog"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/cmd/chat/socketlog"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// logSockets follows the sockets of the default namespace that --log-sockets names.
func logSockets(c *config.Config, server *socketio.Server, log *slog.Logger) (*socketlog.Log, error) {
	l := socketlog.New(log, server.Socket)
	server.OnConnect(l.Connected)
	return l, l.Set(c.Sockets.LogSockets)
}

// changeSockets takes others on.
func changeSockets(l *socketlog.Log) change {
	return func(c *config.Config) (func(), error) {
		names := c.Sockets.LogSockets
		if _, _, err := socketlog.Parse(names); err != nil {
			return nil, err
		}
		return func() { _ = l.Set(names) }, nil // fails where too many are followed over HTTP: the log of pages says who
	}
}
