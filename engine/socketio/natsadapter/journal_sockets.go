package natsadapter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// A socket is stored as the one message of a subject of its own, which JetStream forgets
// after a time that the message says. The subject is a hash: who sees subjects is not to
// learn the client's key.
func (j *journal) socketSubject(pid string) string {
	sum := sha256.Sum256([]byte(pid))
	return j.node.prefix + "s." + hex.EncodeToString(sum[:16])
}

// PutSession implements cluster.Log.
func (j *journal) PutSession(ctx context.Context, s *cluster.Session, keep time.Duration) error {
	m := &nats.Msg{Subject: j.socketSubject(s.PID), Data: cluster.AppendSession(nil, s)}
	_, err := j.js.PublishMsg(ctx, m, jetstream.WithMsgTTL(max(keep, time.Second).Round(time.Second)))
	if err != nil {
		return fmt.Errorf("natsadapter: storing a socket: %w", err)
	}
	return nil
}

// TakeSession implements cluster.Log: of several who take it, one succeeds in deleting it.
func (j *journal) TakeSession(ctx context.Context, pid string) (*cluster.Session, error) {
	s, err := j.js.Stream(ctx, j.sockets)
	if err != nil {
		return nil, fmt.Errorf("natsadapter: looking for a socket: %w", err)
	}
	m, err := s.GetLastMsgForSubject(ctx, j.socketSubject(pid))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("natsadapter: looking for a socket: %w", err)
	}
	if err := s.DeleteMsg(ctx, m.Sequence); errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		return nil, nil // somebody else has it
	} else if err != nil {
		return nil, fmt.Errorf("natsadapter: taking a socket: %w", err)
	}
	session, err := cluster.ParseSession(m.Data, nil)
	if err != nil || session.PID != pid {
		return nil, fmt.Errorf("natsadapter: a stored socket is none: %w", errors.Join(err, errFrame))
	}
	return session, nil
}

// DropSession implements cluster.Log.
func (j *journal) DropSession(ctx context.Context, pid string) error {
	s, err := j.js.Stream(ctx, j.sockets)
	if err == nil {
		err = s.Purge(ctx, jetstream.WithPurgeSubject(j.socketSubject(pid)))
	}
	if err != nil {
		return fmt.Errorf("natsadapter: forgetting a socket: %w", err)
	}
	return nil
}
