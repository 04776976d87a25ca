package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/cmd/chat/api"
)

func TestMessagesAreWrittenAndRead(t *testing.T) {
	t.Parallel()
	n := &notebook{state: "healthy"}
	s := perform(t, api.Options{Chat: n}, nil)
	line := func(i int) string {
		return fmt.Sprintf(`{"id":"id%03d","room":"ops","user":"u1","name":"Bot","text":"<b>%d</b> & ü","at":"2001-09-09T01:46:40Z"}`, i, i)
	}
	for i := range 5 {
		s.post("/v1/messages", fmt.Sprintf(`{"room":"ops","user":"u1","name":"Bot","text":"<b>%d</b> & \u00fc"}`, i), fmt.Sprintf(`{"message":%s,"stored":true}`, line(i)))
	}
	s.post("/v1/messages", `{"name":"Bot","text":"lobby"}`, "")
	lines := func(first, last int) string {
		var all []string
		for i := first; i <= last; i++ {
			all = append(all, line(i))
		}
		return `{"messages":[` + strings.Join(all, ",") + `]`
	}
	s.get("/v1/history?room=ops&limit=2", lines(3, 4)+`,"more":true,"state":"healthy"}`)
	s.get("/v1/history?room=ops&limit=2&before=id003", lines(1, 2)+`,"more":true,"state":"healthy"}`)
	s.get("/v1/history?room=ops&before=id001", lines(0, 0)+`,"more":false,"state":"healthy"}`)
	s.get("/v1/history?room=ops&after=id001&limit=2", lines(2, 3)+`,"more":true,"state":"healthy"}`)
	s.get("/v1/history?room=ops&after=id004", `{"messages":[],"more":false,"state":"healthy"}`)

	n.mu.Lock()
	n.state = "degraded"
	n.mu.Unlock()
	if a := s.post("/v1/messages", `{"name":"Bot","text":"t"}`, ""); !strings.Contains(a.body, `"stored":false`) {
		t.Error(a.body)
	}
	if a := s.get("/v1/info", ""); !strings.Contains(a.body, `"history":"degraded"`) {
		t.Error(a.body)
	}
	s.ask("POST", "/v1/messages", `{"name":"nobody","text":"t"}`).refused(t, 409, "name_taken", "taken")
}
