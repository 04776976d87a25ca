package api

import (
	_ "embed" // openapi.yaml
	"net/http"
	"runtime"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// descriptionPath is where the API describes itself, to everybody.
const descriptionPath = "/openapi.yaml"

//go:embed openapi.yaml
var openapi []byte

// description is the outcome of asking for it.
func description(r *http.Request) outcome {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		o := failed(errMethod)
		o.allow = "GET, HEAD"
		return o
	}
	return outcome{status: http.StatusOK, body: openapi, media: "application/yaml"}
}

// infoRequest has no parameters.
type infoRequest struct{}

type infoAnswer struct {
	Version     string           `json:"version,omitempty"`
	Go          string           `json:"go"`
	StartedAt   time.Time        `json:"started_at"`
	Uptime      int64            `json:"uptime_seconds"`
	Connections int64            `json:"connections"`
	Namespaces  []namespaceEntry `json:"namespaces"` // by name
	More        bool             `json:"more_namespaces,omitempty"`
	History     string           `json:"history,omitempty"`
}

type namespaceEntry struct {
	Name    string `json:"name"`
	Sockets int    `json:"sockets"`
}

func info(c *call, _ *infoRequest) (infoAnswer, error) {
	o := &c.server.options
	a := infoAnswer{
		Version: o.Version, Go: runtime.Version(),
		StartedAt: c.server.started.UTC(), Uptime: int64(time.Since(c.server.started).Seconds()),
		Connections: o.Server.Engine().ClientsCount(),
		Namespaces:  []namespaceEntry{},
	}
	all, next := pageOf(o.Server.Namespaces(), (*socketio.Namespace).Name, "", o.MaxPage)
	a.More = next != ""
	for _, n := range all {
		a.Namespaces = append(a.Namespaces, namespaceEntry{n.Name(), n.SocketCount()})
	}
	if o.Chat != nil {
		a.History = o.Chat.State()
	}
	return a, nil
}
