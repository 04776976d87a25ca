package history

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Names of stores that are neither files nor databases.
const (
	StoreOff    = "off"
	StoreMemory = "memory"
)

// file is what the history is called where nobody said.
const file = "history.db"

// DefaultStore returns where messages are kept unless somebody says otherwise: in
// systemd's $STATE_DIRECTORY, or in fanfare/ below $XDG_DATA_HOME or ~/.local/share. Without any of
// these it is memory.
func DefaultStore() string {
	if state, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":"); state != "" {
		return filepath.Join(state, file)
	}
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "fanfare", file)
	}
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "share", "fanfare", file)
	}
	return StoreMemory
}

// Check says what is wrong with the name of a store, without touching the store. It
// does not repeat passwords.
func Check(store string) error {
	_, err := (&Options{Store: store}).place()
	return err
}

// Where returns the store's name as it may be printed: without a password.
func (o *Options) Where() string {
	if !isURL(o.Store) {
		return o.Store
	}
	u, err := url.Parse(o.Store)
	if err != nil {
		return "postgres://…"
	}
	if q := u.Query(); q.Has("password") || q.Has("sslpassword") {
		u.RawQuery = "…"
	}
	return u.Redacted()
}

func isURL(store string) bool {
	return strings.HasPrefix(store, "postgres://") || strings.HasPrefix(store, "postgresql://")
}

// opener opens a store.
type opener func(ctx context.Context) (store, error)

// place returns what opens the store that the options name; nil for off.
func (o *Options) place() (opener, error) {
	switch {
	case o.Store == StoreOff:
		return nil, nil
	case o.Store == StoreMemory:
		s := newMemory(o.MemoryBytes)
		return func(context.Context) (store, error) { return s, nil }, nil
	case isURL(o.Store):
		return postgresPlace(o.Store)
	case strings.Contains(o.Store, "password="):
		return nil, errors.New("history: that is not a URL: give postgres://user:password@host:5432/database")
	case strings.Contains(o.Store, "://"):
		return nil, errors.New("history: such URLs are not known: give off, memory, a path, or postgres://user@host/database")
	case strings.HasSuffix(o.Store, "/"):
		return nil, fmt.Errorf("history: %s is a folder: give a file in it, such as %s%s", o.Store, o.Store, file)
	}
	return (&boltOpener{path: o.Store}).open, nil
}
