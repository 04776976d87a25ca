package redisadapter

import (
	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

var testLimits = parser.Limits{Depth: maxDepth, Attachments: parser.MaxAttachments}

// ClassicBody writes what is published.
func ClassicBody(m *cluster.Message, nsp string) ([]byte, error) { return classicBody(m, nsp) }

// ReadClassicBroadcast reads what comes on channels of broadcasts.
func ReadClassicBroadcast(b []byte) (m *cluster.Message, nsp string, err error) {
	return readClassicBroadcast(b, &testLimits)
}

// ReadClassicRequest reads what comes on the channel of requests; m is nil for old kinds.
func ReadClassicRequest(b []byte) (m *cluster.Message, old OldRequest, err error) {
	r, err := readClassicRequest(b, &testLimits)
	return r.m, OldRequest{r.kind, r.uid, r.id, r.rooms, r.sid, r.room, r.close}, err
}

// OldRequest is what old servers ask.
type OldRequest struct {
	Kind      int
	UID, ID   string
	Rooms     []string
	SID, Room string
	Close     bool
}

// ReadClassicAnswer reads what comes on channels of answers.
func ReadClassicAnswer(b []byte, waits func(string) bool) (*cluster.Message, error) {
	return readClassicAnswer(b, &testLimits, waits)
}
