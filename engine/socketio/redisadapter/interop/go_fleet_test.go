package interop_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
)

// consultPatience is how long one of ours waits for the answers of other servers; Node's wait for 5 s.
const consultPatience = 2 * time.Second

// openGo opens one of ours.
func openGo(t *testing.T, name string, f *fleet) *goServer {
	t.Helper()
	s, err := startMember(name, f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.connection.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// startMember starts one of ours as the fleet says.
func startMember(name string, f *fleet) (*goServer, error) {
	o := f.mode.ours
	o.URL, o.Prefix, o.Streams.Name, o.Streams.SessionPrefix = f.redis, f.prefix, f.prefix, f.prefix+":session:"
	o.Cluster.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	connection, err := redisadapter.New(o)
	if err != nil {
		return nil, err
	}
	s, err := startGo(name, connection.Adapter, f.namespaces(name), f.recovery)
	if err != nil {
		return nil, err
	}
	s.connection, s.emitter = connection, emitterOptions(o)
	return s, nil
}
