package clienttest_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// The matrix has two halves. By default each pair of a door and a client has one transport, so that each pair of
// anything is there; the newest client has all. MATRIX=full fills every cell, and -short leaves one door, the last one.
func TestEveryClientSpeaksWithoutTLS(t *testing.T) { travel(t, ownDoor, mountedDoor, compressedDoor) }
func TestEveryClientSpeaksOverTLS(t *testing.T) {
	travel(t, tlsDoor, httpsDoor, deflatedTLS, deflatedHTTPS)
}

// fewer leaves all but the last one out where tests are to be short.
func fewer(doors []door) []door {
	if testing.Short() {
		return doors[len(doors)-1:]
	}
	return doors
}

// chosen reports that the matrix has a cell for this door, this version of the client (0 is the newest) and transport.
func chosen(door, version int, names []string) bool {
	if version == 0 || os.Getenv("MATRIX") == "full" {
		return true
	}
	transport := 0
	for i := range transports {
		if slices.Equal(transports[i].names, names) {
			transport = i
		}
	}
	return (door+version+transport)%len(transports) == 0
}

// travel has a client do everything once in each cell, and both sides say that it came in as the cell's name says.
func travel(t *testing.T, doors ...door) {
	t.Helper()
	driver := clienttest.Start(t)
	for i, d := range fewer(doors) {
		t.Run(d.String(), func(t *testing.T) {
			everyClient(t, driver, houseOptions{door: d}, func(j *journey) {
				if !chosen(i, slices.Index(clienttest.Versions, j.version), j.transports) {
					j.Skip("MATRIX=full fills this cell")
				}
				before := j.house.server.Stats().Engine
				c, other := j.settled(), j.settled()
				j.requireSightings(c)
				j.events(c)
				j.acknowledgements(c)
				j.sequences(c)
				j.rooms(c, other)
				j.namespaces(c)
				j.goodbyes(c, other)

				after := j.house.server.Stats().Engine
				deflated, inflated := after.Deflated-before.Deflated, after.Inflated-before.Inflated
				if want := d.compressed && j.last() == "websocket"; (deflated > 0) != want || (inflated > 0) != want {
					j.Errorf("%d messages compressed, %d decompressed", deflated, inflated)
				}
				if (after.TLSHandshakes > before.TLSHandshakes) != (d.tls && !d.mounted) {
					j.Errorf("%d TLS handshakes on the loops", after.TLSHandshakes-before.TLSHandshakes)
				}
			})
		})
	}
}

// last is the transport that the row ends up with.
func (j *journey) last() string { return j.transports[len(j.transports)-1] }

// requireSightings asks server and client how they are connected.
func (j *journey) requireSightings(c *clienttest.Client) {
	j.Helper()
	want := sighting{Secure: j.house.options.door.tls, Transport: j.last(), Protocol: 4}
	if j.version == clienttest.V25 {
		want.Protocol = 3
	}
	if got := clienttest.Value[sighting](j.T, c.EmitAck("witness")[0]); got != want {
		j.Errorf("the server sees %+v, want %+v", got, want)
	}
	extensions := ""
	if j.house.options.door.compressed && j.last() == "websocket" {
		extensions = "permessage-deflate"
	}
	if got := c.State(); got.Transport != j.last() || got.Extensions != extensions {
		j.Errorf("the client says %+v, want extensions %q", got, extensions)
	}
}

// events go both ways, with binary at all depths, and more than a TLS record and a TCP window.
func (j *journey) events(c *clienttest.Client) {
	j.Helper()
	for _, args := range []array{
		{"small", binary(0, 1, 255), strings.Repeat("big ", 100_000)},
		{"grüß 😀 世界", object{"blob": everyByte(), "list": array{binary(), "x", object{"deep": binary(4)}}}, 1.5},
		{},
	} {
		c.Emit("echo", args...)
		requireArgs(j.T, args, c.Wait("echoed", 1)[0])
	}
}

func (j *journey) acknowledgements(c *clienttest.Client) {
	j.Helper()
	for _, args := range []array{{1.0, "two"}, {binary(1, 2), object{"b": array{binary(3)}}}} {
		requireArgs(j.T, args, c.EmitAck("mirror", args...))
	}
	c.AnswerEcho("question")
	for _, arg := range []any{"really?", binary(0, 255)} {
		c.Emit("ask", arg)
		requireArgs(j.T, array{arg}, c.Wait("answered", 1)[0])
	}
}

func (j *journey) sequences(c *clienttest.Client) {
	j.Helper()
	const n = 1000
	c.EmitSequence("seq", n)
	if got := clienttest.Value[tally](j.T, c.EmitAck("seqEnd")[0]); got.Count != n || !got.InOrder {
		j.Errorf("to the server: %+v, want %d in order", got, n)
	}
	c.Emit("burst", n)
	for want, args := range c.Wait("tick", n) {
		if got := clienttest.Value[int](j.T, args[0]); got != want {
			j.Fatalf("to the client: message %d came in place %d", got, want)
		}
	}
}

func (j *journey) rooms(c, other *clienttest.Client) {
	j.Helper()
	room := j.Name()
	c.EmitAck("join", room)
	other.Emit("toRoom", room, "hello")
	requireTexts(j.T, c, "room", "hello")
	c.Emit("toOthersInRoom", room, "not to myself")
	c.EmitAck("leave", room)
	other.Emit("toRoom", room, "too late")
	c.Emit("others", "to the other")
	fence(other, c)
	requireTexts(j.T, other, "reply", "to the other")
	if n := c.Count("room") + other.Count("room") + c.Count("reply"); n != 0 {
		j.Errorf("%d messages for somebody else", n)
	}
}

func (j *journey) namespaces(c *clienttest.Client) {
	j.Helper()
	if _, refusal := c.Of("/nowhere", nil); refusal == nil || refusal.Message != "Invalid namespace" {
		j.Errorf("refusal %v, want \"Invalid namespace\"", refusal)
	}
	admin, refusal := c.Of("/admin", object{"token": "bad"})
	if refusal == nil || clienttest.Value[struct{ Code int }](j.T, refusal.Data).Code != 7 {
		j.Fatalf("refusal %v, want code 7", refusal)
	}
	if refusal := admin.Reconnect(object{"token": "good"}); refusal != nil {
		j.Fatal(refusal)
	}
	admin.Emit("shout", "to admins")
	requireTexts(j.T, admin, "reply", "to admins")
	admin.Disconnect()
	fence(c)
	if n := c.Count("reply"); n != 0 {
		j.Errorf("%d messages of another namespace", n)
	}
}

// goodbyes are the client's, and the server's.
func (j *journey) goodbyes(c, other *clienttest.Client) {
	j.Helper()
	other.EmitAck("join", watchers)
	leaver := j.settled()
	leaver.Disconnect()
	if got := gone(j, other, leaver.ID()); got != "client namespace disconnect" {
		j.Errorf("the server says %q of who left", got)
	}
	c.Emit("kick", true)
	if got := c.WaitDisconnect().Reason; got != "io server disconnect" {
		j.Errorf("the client says %q when it is thrown out", got)
	}
	if got := gone(j, other, c.ID()); got != "server namespace disconnect" {
		j.Errorf("the server says %q of whom it threw out", got)
	}
}
