package socketlog

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/pprof"
)

// defaultTime is how long a socket is followed where the request does not say.
const defaultTime = 10 * time.Minute

// Pages are for the admin address.
func (l *Log) Pages() []pprof.Page {
	return []pprof.Page{
		{Pattern: "GET /debug/sockets", Help: "sockets whose doings are logged", Handler: http.HandlerFunc(l.list)},
		{Pattern: "PUT /debug/sockets/{id}", Help: "log what this socket does, for ?for=10m", Handler: http.HandlerFunc(l.put)},
		{Pattern: "DELETE /debug/sockets/{id}", Help: "no longer", Handler: http.HandlerFunc(l.delete)},
	}
}

// entry is a socket in the list.
type entry struct {
	ID        string     `json:"id"`
	Connected bool       `json:"connected"`
	Sampled   bool       `json:"sampled,omitempty"`
	Until     *time.Time `json:"until,omitempty"`
}

func (l *Log) list(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	all := make([]entry, 0, len(l.followed))
	for _, f := range l.followed {
		e := entry{ID: f.id, Connected: f.socket != nil && f.socket.Connected(), Sampled: f.sampled}
		if until := f.until; !until.IsZero() {
			e.Until = &until
		}
		all = append(all, e)
	}
	l.mu.Unlock()
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.ID, b.ID) })
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(all) // fails when the client is gone only
}

func (l *Log) put(w http.ResponseWriter, r *http.Request) {
	how := defaultTime
	if text := r.FormValue("for"); text != "" {
		var err error
		if how, err = time.ParseDuration(text); err != nil || how <= 0 || how > maxTime {
			http.Error(w, "for must be a time of up to 24h, such as 10m", http.StatusBadRequest)
			return
		}
	}
	switch err := l.Follow(r.PathValue("id"), how); {
	case errors.Is(err, ErrTooMany):
		http.Error(w, err.Error(), http.StatusTooManyRequests)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (l *Log) delete(w http.ResponseWriter, r *http.Request) {
	if !l.Unfollow(r.PathValue("id")) {
		http.Error(w, "that socket is not followed", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
