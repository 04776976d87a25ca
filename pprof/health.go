package pprof

import (
	"encoding/json"
	"net/http"
)

// verdict is the body of /healthz and /readyz.
type verdict struct {
	Status string `json:"status"` // "ok" or "error"
	Error  string `json:"error,omitempty"`
}

// health answers 200 when check returns nil, and 503 with the reason when it fails or does not return.
func health(check func() error) http.HandlerFunc {
	if check == nil {
		check = func() error { return nil }
	}
	q := &question[error]{ask: check}
	return func(w http.ResponseWriter, r *http.Request) {
		failure, err := q.get(r.Context())
		if err == nil {
			err = failure
		}
		v, status := verdict{Status: "ok"}, http.StatusOK
		if err != nil {
			v, status = verdict{"error", err.Error()}, http.StatusServiceUnavailable
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // fails when the client is gone only
	}
}
