package forward_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel/tunneltest"
)

func TestAPollAtTheWrongServerIsAnsweredByTheRightOne(t *testing.T) {
	all := fleet(t, new(tunneltest.Bus), 3, socketio.Options{})
	sid := all[0].open()
	if !strings.HasPrefix(sid, "a.") {
		t.Fatalf("sid %q", sid)
	}
	lines := []*line{all[0].dial(), all[1].dial(), all[2].dial()}
	for i := range 30 {
		lines[i%3].post(sid, fmt.Sprintf(`42["echo",%d]`, i))
		if a := lines[(i+1)%3].poll(sid); a.body != fmt.Sprintf(`42["echoed",%d]`, i) {
			t.Fatalf("%d: %s %q", i, a.Status, a.body)
		}
	}
	if n := all[0].forward.Stats(); n.Accepted == 0 || n.Accepted > 10 {
		t.Errorf("%d streams for 40 requests: %+v", n.Accepted, n)
	}
}
