package postgrestest_test

import (
	"context"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/history/postgrestest"
	"github.com/jackc/pgx/v5"
)

// ask is a connection and an answer, if that comes in time.
func ask(t *testing.T, db *postgrestest.Server, patience time.Duration) (n int, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := pgx.Connect(ctx, db.URL)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	return n, c.QueryRow(ctx, `SELECT 1`).Scan(&n)
}

func TestADatabaseIsStoppedKilledPausedAndStartedAgain(t *testing.T) {
	t.Parallel()
	db := postgrestest.Start(t)
	for name, end := range map[string]func(){"stop": db.Stop, "kill": db.Kill} {
		url := db.URL
		end()
		if _, err := ask(t, db, 300*time.Millisecond); err == nil {
			t.Fatalf("it answers after %s", name)
		}
		if db.Start(); db.URL != url {
			t.Fatalf("it has moved from %s to %s", url, db.URL)
		}
		if n, err := ask(t, db, time.Minute); n != 1 || err != nil {
			t.Fatalf("after %s: %v", name, err)
		}
	}
	db.Pause()
	if _, err := ask(t, db, 300*time.Millisecond); err == nil {
		t.Error("it answers while it is paused")
	}
	db.Resume()
	if n, err := ask(t, db, time.Minute); n != 1 || err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
