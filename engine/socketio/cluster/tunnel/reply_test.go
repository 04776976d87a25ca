package tunnel

import (
	"log/slog"
	"testing"
)

// counting counts what is sent.
type counting struct {
	silence
	messages, bytes int
}

func (c *counting) Send(_ string, b []byte) error {
	c.messages++
	c.bytes += len(b)
	return nil
}

// A message of many small frames about nothing is not answered by as many messages.
func TestManyFramesAreFewAnswers(t *testing.T) {
	for _, f := range []frame{
		{kind: kindHello},
		{kind: kindData, dialed: true, id: 7},
		{kind: kindFinish, id: 7},
		{kind: kindOpen, dialed: true, id: 7}, // nobody listens
	} {
		c := new(counting)
		u := &Tunnel{options: Options{Tag: "a", Logger: slog.New(slog.DiscardHandler)}.withDefaults(), carrier: c, peers: make(map[string]*peer)}
		u.self = header{tag: "a", birth: 1}
		b := (&header{tag: "b", birth: 2}).append(nil)
		for len(b) < maxMessage {
			b = f.append(b)
		}
		u.Receive(b)
		if c.messages == 0 || c.messages > 4 || c.bytes > 3*len(b)/2 {
			t.Errorf("kind %d: %d bytes are answered by %d messages of %d bytes", f.kind, len(b), c.messages, c.bytes)
		}
	}
}
