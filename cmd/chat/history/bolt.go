package history

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// lockPatience is how long opening waits for another process to let the file go: that of
// a restart, which ends while the new one begins.
const lockPatience = 500 * time.Millisecond

// growStep is by how much the file grows, in bytes; bbolt's 16 MiB are a lot for a small chat.
const growStep = 1 << 20

// roomsBucket has a bucket for each room; its key is the name behind a byte, since a key
// must not be empty. There, a message's key is its ID in binary.
var roomsBucket = []byte("rooms")

// bolt is a store in one file.
type bolt struct{ db *bbolt.DB }

// boltOpener opens a file again and again, until it works.
type boltOpener struct {
	path    string
	damaged os.FileInfo // as it was when opening it made bbolt panic
	reason  error       // of that
}

func (o *boltOpener) open(context.Context) (store, error) {
	if err := os.MkdirAll(filepath.Dir(o.path), 0o700); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	if o.unchanged() { // each panic leaves a mapping behind
		return nil, o.reason
	}
	db, err := mapBolt(o.path)
	if err != nil && !errors.Is(err, bolterrors.ErrTimeout) && stub(o.path) {
		if err = os.Remove(o.path); err == nil {
			db, err = mapBolt(o.path)
		}
	}
	switch {
	case err == nil:
		return begin(db)
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("history: another process has %s open: give each server a file of its own, or a Postgres database for all", o.path)
	case errors.Is(err, errDamaged):
		o.damaged, _ = os.Stat(o.path)
		o.reason = fmt.Errorf("%w; move %s away for a new one to be made", err, o.path)
		return nil, o.reason
	}
	return nil, fmt.Errorf("history: opening %s: %w", o.path, err)
}

func (o *boltOpener) unchanged() bool {
	if o.damaged == nil {
		return false
	}
	now, err := os.Stat(o.path)
	return err == nil && os.SameFile(now, o.damaged) && now.Size() == o.damaged.Size() && now.ModTime().Equal(o.damaged.ModTime())
}

// mapBolt opens a file. bbolt may panic over one that is damaged, and leave it open.
func mapBolt(path string) (db *bbolt.DB, err error) {
	var opened *os.File
	err = survive(func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout:         lockPatience,
			FreelistType:    bbolt.FreelistMapType,
			InitialMmapSize: 64 << 20, // address space, not memory: while it suffices, readers never hold up the writer
			NoStatistics:    true,
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				f, err := os.OpenFile(name, flag, mode)
				opened = f
				return f, err
			},
		})
		return err
	})
	if errors.Is(err, errDamaged) && opened != nil {
		_ = opened.Close() // with it, its lock
	}
	return db, err
}

// begin makes a new file ready.
func begin(db *bbolt.DB) (store, error) {
	db.AllocSize = growStep
	err := survive(func() error {
		return db.Update(func(tx *bbolt.Tx) error {
			if tx.Bucket(roomsBucket) != nil {
				return errThere
			}
			_, err := tx.CreateBucket(roomsBucket)
			return err
		})
	})
	if err != nil && err != errThere {
		return nil, fmt.Errorf("history: %w", errors.Join(err, db.Close()))
	}
	return &bolt{db}, nil
}

// errThere rolls a transaction back that has nothing to do: an existing file opens where
// the disk is full, too.
var errThere = errors.New("history: nothing to change")

// stub reports that a file is ours and without data: it was being made when the disk was
// full. bbolt begins with four pages, its mark in the first.
func stub(path string) bool {
	b, err := os.ReadFile(path)
	return err == nil && len(b) >= 20 && len(b) < 4*os.Getpagesize() && binary.NativeEndian.Uint32(b[16:]) == 0xED0CDAED
}

func roomKey(room string) []byte { return append([]byte{'r'}, room...) }

func (s *bolt) add(_ context.Context, messages []Message) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		rooms := tx.Bucket(roomsBucket)
		byRoom := map[string]*bbolt.Bucket{}
		for i := range messages {
			m := &messages[i]
			b := byRoom[m.Room]
			if b == nil {
				var err error
				if b, err = rooms.CreateBucketIfNotExists(roomKey(m.Room)); err != nil {
					return err
				}
				b.FillPercent = 0.95 // keys come in order; pages need no room in between
				byRoom[m.Room] = b
			}
			key, err := binaryID(m.ID)
			if err != nil {
				return err
			}
			if err := b.Put(key, appendRecord(nil, m)); err != nil {
				return err
			}
		}
		return nil
	})
}

func binaryID(id string) ([]byte, error) {
	parsed, err := ulid.ParseStrict(id)
	return parsed[:], err
}

// view calls f with a room's bucket, if there is one.
func (s *bolt) view(room string, f func(*bbolt.Bucket) error) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket(roomsBucket).Bucket(roomKey(room)); b != nil {
			return f(b)
		}
		return nil
	})
}

func (s *bolt) read(_ context.Context, room string, p span) (found []Message, more bool, err error) {
	err = s.view(room, func(b *bbolt.Bucket) error {
		found, more, err = readSpan(b.Cursor(), room, p)
		return err
	})
	return found, more, err
}

// readSpan walks a span in its own direction.
func readSpan(c *bbolt.Cursor, room string, p span) (found []Message, more bool, err error) {
	k, v, step, err := start(c, p)
	if err != nil {
		return nil, false, err
	}
	for ; k != nil; k, v = step() {
		if len(found) == p.limit {
			more = true
			break
		}
		m, err := parseRecord(room, k, v)
		if err != nil {
			return nil, false, err
		}
		found = append(found, m)
	}
	if !p.up {
		slices.Reverse(found)
	}
	return found, more, nil
}

// start returns the first entry of a span, and how to come to the next.
func start(c *bbolt.Cursor, p span) (k, v []byte, step func() ([]byte, []byte), err error) {
	step = c.Prev
	if p.up {
		step = c.Next
	}
	switch {
	case p.id == "" && p.up:
		k, v = c.First()
		return k, v, step, nil
	case p.id == "":
		k, v = c.Last()
		return k, v, step, nil
	}
	id, err := binaryID(p.id)
	if err != nil {
		return nil, nil, nil, err
	}
	switch k, v = c.Seek(id); {
	case p.up && bytes.Equal(k, id):
		k, v = c.Next()
	case !p.up && k == nil:
		k, v = c.Last()
	case !p.up:
		k, v = c.Prev()
	}
	return k, v, step, nil
}

func (s *bolt) newest(context.Context) (map[string]string, error) {
	newest := map[string]string{}
	return newest, s.db.View(func(tx *bbolt.Tx) error {
		rooms := tx.Bucket(roomsBucket)
		return rooms.ForEachBucket(func(name []byte) error {
			if k, _ := rooms.Bucket(name).Cursor().Last(); len(k) == len(ulid.ULID{}) {
				newest[string(name[1:])] = ulid.ULID(k).String()
			}
			return nil
		})
	})
}

func (s *bolt) trim(_ context.Context, room string, keep int) (more bool, err error) {
	first, err := s.firstKept(room, keep)
	if err != nil || first == nil {
		return false, err
	}
	return more, s.db.Update(func(tx *bbolt.Tx) (err error) {
		more, err = removeBelow(tx.Bucket(roomsBucket).Bucket(roomKey(room)), first)
		return err
	})
}

// firstKept returns the key of the oldest message that stays; nil where all do.
func (s *bolt) firstKept(room string, keep int) (first []byte, err error) {
	return first, s.view(room, func(b *bbolt.Bucket) error {
		c := b.Cursor()
		k, _ := c.Last()
		for n := 1; n < keep && k != nil; n++ {
			k, _ = c.Prev()
		}
		if k == nil {
			return nil
		}
		kept := bytes.Clone(k)
		if k, _ = c.Prev(); k != nil {
			first = kept
		}
		return nil
	})
}

// removeBelow removes what is below a key, trimStep messages at most.
func removeBelow(b *bbolt.Bucket, first []byte) (more bool, err error) {
	var keys [][]byte // removing while walking would make the cursor skip
	c := b.Cursor()
	for k, _ := c.First(); k != nil && bytes.Compare(k, first) < 0; k, _ = c.Next() {
		if len(keys) == trimStep {
			more = true
			break
		}
		keys = append(keys, k)
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return false, err
		}
	}
	return more, nil
}

func (s *bolt) expire(_ context.Context, before string) error {
	first, err := binaryID(before)
	if err != nil {
		return err
	}
	err = s.db.Update(func(tx *bbolt.Tx) error {
		rooms, changed := tx.Bucket(roomsBucket), false
		var empty [][]byte
		err := rooms.ForEachBucket(func(name []byte) error {
			b := rooms.Bucket(name)
			if k, _ := b.Cursor().First(); k == nil || bytes.Compare(k, first) >= 0 {
				return nil
			}
			changed = true
			if k, _ := b.Cursor().Last(); bytes.Compare(k, first) < 0 {
				empty = append(empty, bytes.Clone(name))
				return nil
			}
			_, err := removeBelow(b, first)
			return err
		})
		for _, name := range empty {
			err = errors.Join(err, rooms.DeleteBucket(name))
		}
		if err == nil && !changed {
			return errThere
		}
		return err
	})
	if err == errThere {
		return nil
	}
	return err
}

func (s *bolt) drop(_ context.Context, room, _ string) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		err := tx.Bucket(roomsBucket).DeleteBucket(roomKey(room))
		if errors.Is(err, bolterrors.ErrBucketNotFound) {
			return nil
		}
		return err
	})
}

func (s *bolt) shared() bool { return false }
func (s *bolt) close() error { return s.db.Close() }
