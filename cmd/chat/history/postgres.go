package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/oklog/ulid/v2"
)

// writePatience is how long Postgres may take for what changes the store, before the
// connection is given up and another one tried.
const writePatience = 10 * time.Second

// schemaLock is an advisory lock that servers take which start together: CREATE … IF NOT
// EXISTS by two at a time fails for one of them. Any number does; this one is "fanfare".
const schemaLock = 0x66616e66617265

// createTable makes the table. The collation makes ids sort by their bytes, in every database.
const createTable = `CREATE TABLE IF NOT EXISTS fanfare_messages (
	room text COLLATE "C" NOT NULL,
	id text COLLATE "C" NOT NULL,
	username text NOT NULL,
	name text NOT NULL,
	text text NOT NULL,
	PRIMARY KEY (room, id)
)`

// What the store asks.
const (
	tableExists = `SELECT to_regclass('fanfare_messages') IS NOT NULL`

	insertMessages = `INSERT INTO fanfare_messages (room, id, username, name, text)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING`

	selectNewest = `SELECT id, username, name, text FROM fanfare_messages WHERE room = $1 ORDER BY id DESC LIMIT $2`
	selectBefore = `SELECT id, username, name, text FROM fanfare_messages WHERE room = $1 AND id < $3 ORDER BY id DESC LIMIT $2`
	selectAfter  = `SELECT id, username, name, text FROM fanfare_messages WHERE room = $1 AND id > $3 ORDER BY id LIMIT $2`

	// From room to room along the index, instead of over all messages.
	selectRooms = `WITH RECURSIVE rooms AS (
		(SELECT room FROM fanfare_messages ORDER BY room LIMIT 1)
		UNION ALL
		SELECT (SELECT m.room FROM fanfare_messages m WHERE m.room > rooms.room ORDER BY m.room LIMIT 1)
		FROM rooms WHERE rooms.room IS NOT NULL
	) SELECT room, (SELECT max(m.id) FROM fanfare_messages m WHERE m.room = rooms.room)
	FROM rooms WHERE room IS NOT NULL`

	deleteOldest = `DELETE FROM fanfare_messages WHERE room = $1 AND id IN (
		SELECT id FROM fanfare_messages WHERE room = $1 AND id <= (
			SELECT id FROM fanfare_messages WHERE room = $1 ORDER BY id DESC OFFSET $2 LIMIT 1
		) ORDER BY id LIMIT $3)`
	deleteOlder = `DELETE FROM fanfare_messages WHERE room = ANY($1) AND id < $2`
	deleteRoom  = `DELETE FROM fanfare_messages WHERE room = $1 AND id <= $2`
)

// postgres is a store in a database, which several servers may share.
type postgres struct{ pool *pgxpool.Pool }

// postgresPlace checks a URL. What pgx says of a wrong one may have the password in it.
func postgresPlace(url string) (opener, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("history: not the URL of a Postgres database: give postgres://user:password@host:5432/database")
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "fanfare"
	}
	config.ConnConfig.ConnectTimeout = openPatience
	return func(ctx context.Context) (store, error) { return openPostgres(ctx, config.Copy()) }, nil
}

func openPostgres(ctx context.Context, config *pgxpool.Config) (store, error) {
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), config)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	if err := prepare(ctx, pool); err != nil {
		pool.Close()
		return nil, fmt.Errorf("history: Postgres at %s:%d: %w", config.ConnConfig.Host, config.ConnConfig.Port, err)
	}
	return &postgres{pool}, nil
}

// prepare makes the table. Where there is one, the right to make tables is not needed.
func prepare(ctx context.Context, pool *pgxpool.Pool) error {
	var there bool
	if err := pool.QueryRow(ctx, tableExists).Scan(&there); err != nil || there {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, schemaLock); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, createTable)
		return err
	})
}

// add inserts all messages by one statement. A connection that is lost meanwhile leaves
// open whether it was done; doing it again does no harm.
func (s *postgres) add(ctx context.Context, messages []Message) error {
	n := len(messages)
	columns := [5][]string{}
	for i := range columns {
		columns[i] = make([]string, n)
	}
	for i := range messages {
		m := &messages[i]
		columns[0][i], columns[1][i], columns[2][i], columns[3][i], columns[4][i] = m.Room, m.ID, m.User, m.Name, m.Text
	}
	return s.exec(ctx, insertMessages, columns[0], columns[1], columns[2], columns[3], columns[4])
}

// exec changes the store. Data that Postgres will never take is errRefused.
func (s *postgres) exec(ctx context.Context, statement string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, writePatience)
	defer cancel()
	_, err := s.pool.Exec(ctx, statement, args...)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23")) { // data exceptions, violated constraints
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	if err != nil {
		s.pool.Reset() // another connection may lead to the server that has taken over
	}
	return err
}

func (s *postgres) read(ctx context.Context, room string, p span) ([]Message, bool, error) {
	statement, args := selectNewest, []any{room, p.limit + 1}
	switch {
	case p.up:
		statement, args = selectAfter, append(args, p.id)
	case p.id != "":
		statement, args = selectBefore, append(args, p.id)
	}
	rows, err := s.pool.Query(ctx, statement, args...)
	if err != nil {
		return nil, false, err
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Message, error) { return scan(row, room) })
	if err != nil {
		return nil, false, err
	}
	if !p.up {
		slices.Reverse(found)
	}
	part, more := p.cut(found)
	return part, more, nil
}

func scan(row pgx.CollectableRow, room string) (Message, error) {
	m := Message{Room: room}
	if err := row.Scan(&m.ID, &m.User, &m.Name, &m.Text); err != nil {
		return m, err
	}
	id, err := ulid.ParseStrict(m.ID)
	if err != nil {
		return m, errRecord
	}
	m.At = timeOf(id)
	return m, nil
}

func (s *postgres) newest(ctx context.Context) (map[string]string, error) {
	rows, err := s.pool.Query(ctx, selectRooms)
	if err != nil {
		return nil, err
	}
	newest := map[string]string{}
	var room, id string
	_, err = pgx.ForEachRow(rows, []any{&room, &id}, func() error { newest[room] = id; return nil })
	return newest, err
}

func (s *postgres) trim(ctx context.Context, room string, keep int) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, writePatience)
	defer cancel()
	done, err := s.pool.Exec(ctx, deleteOldest, room, keep, trimStep)
	return err == nil && done.RowsAffected() == trimStep, err
}

func (s *postgres) expire(ctx context.Context, before string) error {
	newest, err := s.newest(ctx)
	if err != nil {
		return err
	}
	rooms := make([]string, 0, len(newest))
	for room := range newest {
		rooms = append(rooms, room)
	}
	return s.exec(ctx, deleteOlder, rooms, before)
}

func (s *postgres) drop(ctx context.Context, room, upTo string) error {
	return s.exec(ctx, deleteRoom, room, upTo)
}

func (s *postgres) shared() bool { return true }
func (s *postgres) close() error { s.pool.Close(); return nil }
