package main_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// greeting is what a server answers a CONNECT packet with.
type greeting struct{ SID, PID string }

// connectAs sends a CONNECT packet with an auth object, and returns the answer.
func connectAs(s *wireSocket, auth map[string]string) (g greeting, refusal string) {
	s.t.Helper()
	text, err := json.Marshal(auth)
	if err != nil {
		s.t.Fatal(err)
	}
	s.send("40" + string(text))
	answer := s.receive("4")
	if rest, ok := strings.CutPrefix(answer, "40"); ok {
		if err := json.Unmarshal([]byte(rest), &g); err != nil {
			s.t.Fatal(err)
		}
		return g, ""
	}
	return g, answer
}

// The key of a lost connection is no token: who returns with it is asked for one as
// anybody else, and it has to be the same person's.
func TestARecoveredSocketNeedsItsOwnToken(t *testing.T) {
	secrets := secretFile(t, chatSecret)
	p := start(t, anywhere("--auth-secret-file="+secrets))
	ann := mint(t, secrets, "--subject=ann", "--name=Ann")
	for name, c := range map[string]struct{ token, want string }{
		"no token":             {"", "token_required"},
		"a token that is none": {"garbage", "token_invalid"},
		"a token that is over": {mint(t, secrets, "--subject=ann", "--ttl=-1m"), "token_expired"},
		"somebody else's":      {mint(t, secrets, "--subject=bob"), "other_subject"},
		"the same person's":    {mint(t, secrets, "--subject=ann"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			first := openWebSocket(t, p.url)
			was, refusal := connectAs(first, map[string]string{"token": ann})
			if refusal != "" {
				t.Fatal(refusal)
			}
			_ = first.conn.Close()
			is, refusal := connectAs(openWebSocket(t, p.url), map[string]string{"token": c.token, "pid": was.PID})
			if c.want == "" {
				if refusal != "" || is.SID != was.SID {
					t.Errorf("%+v %s: not recovered", is, refusal)
				}
			} else if !strings.Contains(refusal, c.want) {
				t.Errorf("%+v %q, want %s", is, refusal, c.want)
			}
		})
	}
}
