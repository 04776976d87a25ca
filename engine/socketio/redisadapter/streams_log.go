package redisadapter

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// streamLog is a stream as the log of the namespaces that write to it. An offset is the
// id of an entry, as with Node. Safe for concurrent use.
type streamLog struct {
	name    string
	streams *streams
	reader  *streamReader
}

var _ cluster.Log = (*streamLog)(nil)

// Valid implements cluster.Log.
func (l *streamLog) Valid(offset string) bool {
	_, _, ok := parseStreamID(offset)
	return ok
}

// Compare implements cluster.Log.
func (l *streamLog) Compare(a, b string) int { return compareIDs(a, b) }

// Range implements cluster.Log. Entries that are no messages it leaves out.
func (l *streamLog) Range(ctx context.Context, after, upTo string, each func(cluster.Entry) bool) error {
	client, err := l.streams.fleet.connector.now()
	if err != nil {
		return err
	}
	if err := l.reaches(ctx, client, after); err != nil {
		return err
	}
	for from := nextID(after); ; {
		page, err := xrange(ctx, client, l.name, from, upTo, rangePage)
		if err != nil {
			return fmt.Errorf("redisadapter: reading a stream: %w", err)
		}
		for _, e := range page {
			if m, err := parseEntry(e, l.streams.fleet.options.MaxMessage); err == nil && !each(cluster.Entry{Namespace: e.nsp, Message: m}) {
				return nil
			}
		}
		if len(page) < rangePage {
			return l.reaches(ctx, client, after) // still: it may have been trimmed meanwhile
		}
		from = nextID(page[len(page)-1].id)
	}
}

// reaches returns cluster.ErrTrimmed unless all that was added behind an entry is in the
// stream: where the entry itself is, or one before it. What this server has not seen
// added it does not know of, so that nothing counts that is older than a loss of the
// stream.
func (l *streamLog) reaches(ctx context.Context, client rueidis.Client, after string) error {
	if newerID(l.reader.barrier(), after) {
		return cluster.ErrTrimmed
	}
	s, err := xinfo(ctx, client, l.name)
	switch {
	case err != nil:
		return fmt.Errorf("redisadapter: a stream: %w", err)
	case s.first != "" && !newerID(s.first, after):
		return nil
	case compareIDs(after, "0-0") == 0 && s.counted && s.added == s.length:
		return nil // from the beginning
	}
	return cluster.ErrTrimmed
}

// sessionKeys returns where a socket is stored: where Node's servers look when it was
// lost, and elsewhere while it is connected. Both are in one slot of a Redis Cluster.
func (l *streamLog) sessionKeys(pid string) (lost, live string) {
	lost = l.streams.options.SessionPrefix + pid
	if strings.Contains(lost, "{") {
		return lost, lost + ":live"
	}
	return lost, "{" + lost + "}:live"
}

// PutSession implements cluster.Log.
func (l *streamLog) PutSession(ctx context.Context, s *cluster.Session, keep time.Duration) error {
	text, err := appendSession(nil, s)
	if err != nil {
		return err
	}
	key, other := l.sessionKeys(s.PID)
	if s.Live {
		key, other = other, key
	}
	_, err = l.transaction(ctx, func(b rueidis.Builder) []rueidis.Completed {
		return []rueidis.Completed{
			b.Set().Key(key).Value(rueidis.BinaryString(text)).PxMilliseconds(max(keep.Milliseconds(), 1)).Build(),
			b.Del().Key(other).Build(),
		}
	})
	return err
}

// TakeSession implements cluster.Log.
func (l *streamLog) TakeSession(ctx context.Context, pid string) (*cluster.Session, error) {
	lost, live := l.sessionKeys(pid)
	said, err := l.transaction(ctx, func(b rueidis.Builder) []rueidis.Completed {
		return []rueidis.Completed{b.Get().Key(lost).Build(), b.Get().Key(live).Build(), b.Del().Key(lost, live).Build()}
	})
	if err != nil {
		return nil, err
	}
	for _, m := range said[:2] {
		text, err := m.ToString()
		if err != nil { // there is none
			continue
		}
		s, err := parseSession(text)
		if err != nil || s.PID != pid {
			l.streams.fleet.counters.malformed.Add(1)
			continue
		}
		return s, nil
	}
	return nil, nil
}

// DropSession implements cluster.Log.
func (l *streamLog) DropSession(ctx context.Context, pid string) error {
	lost, live := l.sessionKeys(pid)
	client, err := l.streams.fleet.connector.now()
	if err != nil {
		return err
	}
	if err := client.Do(ctx, client.B().Del().Key(lost, live).Build()).Error(); err != nil {
		return fmt.Errorf("redisadapter: sessions: %w", err)
	}
	return nil
}

// transaction has commands about one slot done in one step.
func (l *streamLog) transaction(ctx context.Context, commands func(b rueidis.Builder) []rueidis.Completed) ([]rueidis.RedisMessage, error) {
	client, err := l.streams.fleet.connector.now()
	if err != nil {
		return nil, err
	}
	b := client.B()
	all := append([]rueidis.Completed{b.Multi().Build()}, commands(b)...)
	said := client.DoMulti(ctx, append(all, b.Exec().Build())...)
	done, err := said[len(said)-1].ToArray()
	if err == nil && len(done) != len(all)-1 {
		err = errNoReply
	}
	if err != nil {
		return nil, fmt.Errorf("redisadapter: sessions: %w", err)
	}
	return done, nil
}

// maxSession bounds what is read of one session, in bytes of base64; Node has no bound.
const maxSession = 4 << 20

// appendSession writes a socket as Node's adapter does: msgpack in base64.
func appendSession(dst []byte, s *cluster.Session) ([]byte, error) {
	packed, err := parser.AppendMsgpack(nil, cluster.AppendSession(nil, s), nil)
	if err != nil {
		return dst, fmt.Errorf("redisadapter: %w", err)
	}
	return base64.StdEncoding.AppendEncode(dst, packed), nil
}

// parseSession reads what appendSession or Node has written.
func parseSession(text string) (*cluster.Session, error) {
	if len(text) > maxSession {
		return nil, cluster.ErrTooLarge
	}
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", cluster.ErrMalformed, err)
	}
	value, binaries, err := parser.DecodeMsgpack(packed, cluster.Limits())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", cluster.ErrMalformed, err)
	}
	return cluster.ParseSession(value, binaries)
}
