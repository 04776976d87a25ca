// Command from-node is docs/from-node/server.js in Go.
package main

import (
	"cmp"
	"context"
	"errors"
	"log"
	"os"
	"slices"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

var name = socketio.NewSharedKey[string]("name") // a field of Node's socket.data

const question socketio.Call[string, string] = "question"

func main() {
	io := socketio.New(socketio.Options{ConnectionStateRecovery: &socketio.Recovery{}})

	io.Use(func(ctx context.Context, s *socketio.Socket) error {
		var auth struct{ Name, Token string }
		if err := s.DecodeAuth(&auth); err != nil || auth.Token != "secret" {
			return errors.New("not authorised")
		}
		name.Set(s, auth.Name)
		return nil
	})

	io.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
		if !s.Recovered() {
			_ = s.Join("lobby")
		}
		return s.Emit("welcome", name.Get(s), s.Recovered())
	})
	socketio.On(io, "chatMessage", func(ctx context.Context, s *socketio.Socket, text string) error {
		return io.To("lobby").Emit("reply", map[string]string{"from": name.Get(s), "text": text})
	})
	socketio.On(io, "typing", func(ctx context.Context, s *socketio.Socket, _ struct{}) error {
		return s.To("lobby").Volatile().Emit("typing", name.Get(s))
	})
	socketio.OnAck(io, "who", func(ctx context.Context, s *socketio.Socket, _ struct{}) ([]string, error) {
		names := []string{}
		sockets, err := io.In("lobby").FetchSockets(ctx)
		for _, other := range sockets {
			who, _ := name.Of(other)
			names = append(names, who)
		}
		slices.Sort(names)
		return names, err
	})
	socketio.OnAck(io, "quiz", func(ctx context.Context, s *socketio.Socket, q string) ([]string, error) {
		answers := []string{}
		for answer, err := range question.AskAll(ctx, s.To("lobby"), q) {
			if err == nil { // else: who is gone, or too late, with answer.SocketID
				answers = append(answers, answer.Value)
			}
		}
		slices.Sort(answers)
		return answers, nil
	})
	io.OnDisconnect(func(ctx context.Context, s *socketio.Socket, r socketio.Reason) {
		_ = s.To("lobby").Emit("left", name.Get(s), r)
	})

	log.Fatal(io.ListenAndServe(context.Background(), ":"+cmp.Or(os.Getenv("PORT"), "3000")))
}
