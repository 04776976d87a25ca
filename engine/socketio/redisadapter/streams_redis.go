package redisadapter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// rangePage is how many entries are asked for at once.
const rangePage = 1000

// parseStreamID reads an entry's id: the time in milliseconds, and a number within it.
func parseStreamID(id string) (ms, seq uint64, ok bool) {
	a, b, found := strings.Cut(id, "-")
	if !found || !digits(a) || !digits(b) {
		return 0, 0, false
	}
	ms, err := strconv.ParseUint(a, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	seq, err = strconv.ParseUint(b, 10, 64)
	return ms, seq, err == nil
}

// digits is for a form without signs and underlines. Node: /^[0-9]+-[0-9]+$/.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// compareIDs orders ids; one that is none comes before all others.
func compareIDs(a, b string) int {
	ms, seq, ok := parseStreamID(a)
	ms2, seq2, ok2 := parseStreamID(b)
	switch {
	case ok != ok2 && ok:
		return 1
	case ok != ok2:
		return -1
	}
	return cmp.Or(cmp.Compare(ms, ms2), cmp.Compare(seq, seq2))
}

func newerID(a, b string) bool { return compareIDs(a, b) > 0 }

// nextID returns the least id after one, as Redis before 6.2 knows no exclusive ranges.
func nextID(id string) string {
	ms, seq, ok := parseStreamID(id)
	switch {
	case !ok:
		return "-"
	case seq < math.MaxUint64:
		seq++
	default:
		ms, seq = ms+1, 0
	}
	return strconv.FormatUint(ms, 10) + "-" + strconv.FormatUint(seq, 10)
}

// previousID returns the greatest id before one.
func previousID(id string) string {
	ms, seq, _ := parseStreamID(id)
	switch {
	case seq > 0:
		seq--
	case ms > 0:
		ms, seq = ms-1, math.MaxUint64
	}
	return strconv.FormatUint(ms, 10) + "-" + strconv.FormatUint(seq, 10)
}

func maxID(a, b string) string {
	if newerID(a, b) {
		return a
	}
	return b
}

// entry is one entry of a stream, of which Node's adapter has written the fields.
type entry struct {
	id, uid, nsp, kind, data string
	seq                      string // what only servers of this package write
}

func entryOf(e rueidis.XRangeEntry) entry {
	f := e.FieldValues
	return entry{e.ID, f["uid"], f["nsp"], f["type"], f["data"], f["seq"]}
}

func entriesOf(all []rueidis.XRangeEntry) []entry {
	entries := make([]entry, len(all))
	for i, e := range all {
		entries[i] = entryOf(e)
	}
	return entries
}

type doer interface {
	B() rueidis.Builder
	Do(ctx context.Context, cmd rueidis.Completed) rueidis.RedisResult
}

// xrange returns the entries from one id to another, both included.
func xrange(ctx context.Context, d doer, stream, from, to string, count int) ([]entry, error) {
	all, err := d.Do(ctx, d.B().Xrange().Key(stream).Start(from).End(to).Count(int64(count)).Build()).AsXRange()
	if err != nil {
		return nil, err
	}
	return entriesOf(all), nil
}

// streamInfo is what Redis says of a stream.
type streamInfo struct {
	last    string // id of the entry added last
	first   string // id of the oldest entry; empty where there is none
	length  int64
	added   int64 // entries ever
	counted bool  // added is known: since Redis 7
}

// trimmed reports whether entries after an id may not be there any more.
func (s streamInfo) trimmed(after string) bool {
	if s.counted && s.added == s.length {
		return false
	}
	if s.first == "" {
		return newerID(s.last, after)
	}
	return newerID(s.first, after)
}

// xinfo asks for a stream, which is empty where there is none.
func xinfo(ctx context.Context, d doer, stream string) (streamInfo, error) {
	m, err := d.Do(ctx, d.B().XinfoStream().Key(stream).Build()).ToMessage()
	if err != nil && !noSuchKey(err) {
		return streamInfo{}, err
	}
	return parseStreamInfo(m)
}

func noSuchKey(err error) bool {
	e, ok := rueidis.IsRedisErr(err)
	return ok && strings.Contains(e.Error(), "no such key")
}

func parseStreamInfo(m rueidis.RedisMessage) (streamInfo, error) {
	none := streamInfo{last: "0-0", counted: true}
	if err := m.Error(); err != nil {
		if noSuchKey(err) {
			return none, nil
		}
		return none, err
	}
	fields, err := m.AsMap()
	if err != nil {
		return none, err
	}
	var s streamInfo
	last := fields["last-generated-id"]
	s.last, err = last.ToString()
	length := fields["length"]
	s.length, _ = length.AsInt64()
	if added, ok := fields["entries-added"]; ok {
		s.added, _ = added.AsInt64()
		s.counted = true
	}
	oldest := fields["first-entry"]
	if first, err := oldest.AsXRangeEntry(); err == nil {
		s.first = first.ID
	}
	return s, err
}

// dedicate takes a connection to the server that has a key, and has Redis forget the
// predecessor; see introduce.
func dedicate(ctx context.Context, c *connector, key string, predecessor identity, patience time.Duration) (d rueidis.DedicatedClient, release func(), own identity, err error) {
	client, err := c.connect()
	if err != nil {
		return nil, nil, own, err
	}
	d, release = client.Dedicate()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err = d.Do(ctx, d.B().Exists().Key(key).Build()).Error(); err == nil || certain(err) {
		own, err = introduce(ctx, d, predecessor), ctx.Err()
	}
	if err != nil {
		d.Close()
		release()
		return nil, nil, own, fmt.Errorf("redisadapter: connecting: %w", err)
	}
	return d, release, own, nil
}

// another is a failure that may not be the first.
func another(before *failure, err error) *failure {
	f := &failure{err: err, since: time.Now()}
	if before != nil {
		f.since = before.since
	}
	return f
}

// lasting says what does not work, and for how long.
func lasting(f *failure, what string) error {
	if f == nil {
		return nil
	}
	return fmt.Errorf("redisadapter: %s for %v: %w", what, time.Since(f.since).Round(time.Millisecond), f.err)
}

var errNoReply = errors.New("redisadapter: Redis has not said what was asked")
