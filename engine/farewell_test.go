package engine_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// What was sent before a close and the close packet itself travel in two polls, as
// Node's do: old clients drop what stands beside a close packet.
func TestTheClosePacketHasAPollOfItsOwn(t *testing.T) {
	f := start(t, engine.Options{})
	c, o := f.openPolling()
	url := pollURL + "&sid=" + o.SID
	c.request("GET", url, "")
	r := f.session(o.SID)
	until(t, "the GET is held", func() bool { return r.s.PollState().Get })
	r.s.Run(func() { // in one turn
		r.send("last words")
		r.s.Close()
	})
	if got := c.read("GET").body; got != "4last words" {
		t.Fatalf("the poll that waited: %q", got)
	}
	if got := c.do("GET", url, "").body; got != "6"+sep+"1" {
		t.Fatalf("the next poll: %q", got)
	}
	if got := r.reason(t); got != engine.ReasonForcedClose {
		t.Fatal(got)
	}
}
