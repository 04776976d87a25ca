package natsadapter

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

func TestBroadcastsReachTheServersThatWantThem(t *testing.T) {
	t.Parallel()
	for _, subjects := range []Subjects{Hashed, Static, PerRoom} {
		o := Options{Subjects: subjects}
		t.Run([]string{"hashed", "static", "per room"}[subjects], func(t *testing.T) {
			t.Parallel()
			nodes := startNodes(t, 3, o)
			links, got := attachAll(t, nodes, "/chat.*> ä")
			room := "räum #*[x].>"
			links[1].Enter(room)
			if subjects != Static {
				heard(t, links[:1], []*recorder{nil, got[1]}, []string{room})
			}
			for _, m := range []*cluster.Message{broadcast("all"), broadcast("one", room), broadcast("two", room, "other"), broadcast("id", "aaaaaaaaaaaaaaaaaaaa")} {
				if err := links[0].Publish(m); err != nil {
					t.Fatal(err)
				}
			}
			settle(t, links)
			all := []string{`["all"]`, `["one"]`, `["two"]`, `["id"]`}
			without := []string{`["all"]`, `["two"]`, `["id"]`}
			want := [][]string{nil, all, without}
			if subjects == Static {
				want[2] = all
			}
			for i, r := range got {
				if !slices.Equal(r.events(), want[i]) {
					t.Errorf("server %d got %q, want %q", i, r.events(), want[i])
				}
				if s := nodes[i].Stats(); s.Lost != 0 || s.Malformed != 0 {
					t.Errorf("server %d: %+v", i, s)
				}
			}
		})
	}
}

// TestNothingIsLostInAFlood sends without a pause, which NATS alone does not survive:
// FANFARE_NATS_FLOOD=300000 for the full size.
func TestNothingIsLostInAFlood(t *testing.T) {
	n := 30_000
	if s := os.Getenv("FANFARE_NATS_FLOOD"); s != "" {
		n, _ = strconv.Atoi(s)
	} else if testing.Short() {
		n = 3000
	}
	nodes := startNodes(t, 3, Options{Outbox: cluster.OutboxOptions{MaxMessages: n, MaxBytes: n * 512}})
	links, got := attachAll(t, nodes, "/")
	m := broadcast(strings.Repeat("x", 200))
	began := time.Now()
	for range n {
		if err := links[0].Publish(m); err != nil {
			t.Fatal(err)
		}
	}
	published := time.Since(began)
	eventually(t, "all sent", func() bool { s := nodes[0].Stats(); return s.Outbox.Sent == s.Queued })
	settle(t, links)
	took := time.Since(began)
	for i := 1; i < 3; i++ {
		if c := got[i].received(); c != n || nodes[i].Stats().Lost != 0 {
			t.Errorf("server %d got %d of %d, and says it lost %d", i, c, n, nodes[i].Stats().Lost)
		}
	}
	t.Logf("%d messages of %d bytes to each of two servers: published in %v, there after %v; %s", n, len(m.Packet.JSON), published, took,
		fmt.Sprintf("held %d times", nodes[0].Stats().Held))
}

func TestLongMessagesTravelInParts(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 2, Options{})
	links, got := attachAll(t, nodes, "/")
	long := strings.Repeat("long ", 500_000) // 2.5 MB
	_ = links[0].Publish(broadcast("before"))
	if err := links[0].Publish(broadcast(long)); err != nil {
		t.Fatal(err)
	}
	_ = links[0].Publish(broadcast("after"))
	settle(t, links)
	if want := []string{`["before"]`, `["` + long + `"]`, `["after"]`}; !slices.Equal(got[1].events(), want) {
		t.Errorf("%d came", got[1].received())
	}
	if err := links[0].Publish(broadcast(strings.Repeat("x", 16<<20))); err != errTooLong {
		t.Errorf("beyond the bound: %v", err)
	}
	if s := nodes[1].Stats(); s.Lost != 0 || s.Malformed != 0 {
		t.Errorf("%+v", s)
	}
}
