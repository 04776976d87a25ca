package conversation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/cmd/chat/history/postgrestest"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

func TestHistoryIsReadForwardsAndBackwards(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, c *chat) {
		ada := c.Connect()
		ask[conversation.People](t, ada, "join", "tea")
		var ids []string
		for i := range 7 {
			ids = append(ids, ask[conversation.Sent](t, ada, "chatMessage", in("tea", fmt.Sprint(i))).ID)
			ask[conversation.Sent](t, ada, "chatMessage", "elsewhere")
		}
		for _, one := range []struct {
			page map[string]any
			want string
			more bool
		}{
			{map[string]any{}, "0123456", false},
			{map[string]any{"limit": 3}, "456", true},
			{map[string]any{"limit": 3, "before": ids[4]}, "123", true},
			{map[string]any{"before": ids[1]}, "0", false},
			{map[string]any{"before": ids[0]}, "", false},
			{map[string]any{"after": ids[4]}, "56", false},
			{map[string]any{"after": ids[1], "limit": 2}, "23", true},
			{map[string]any{"after": ids[6]}, "", false},
			{map[string]any{"limit": 1000}, "0123456", false},
		} {
			one.page["room"] = "tea"
			lines := ask[conversation.Lines](t, ada, "history", one.page)
			var got string
			for _, m := range lines.Messages {
				got += m.Text
			}
			if got != one.want || lines.More != one.more || lines.State != "healthy" || lines.Messages == nil {
				t.Errorf("%v: %q, more %v, %s; want %q, %v", one.page, got, lines.More, lines.State, one.want, one.more)
			}
		}
		refused(t, ada, "before or after: not both", "history", map[string]any{"before": ids[0], "after": ids[1]})
		refused(t, ada, "before and after take the id of a message", "history", map[string]any{"after": "yesterday"})
		refused(t, ada, "the limit must not be negative", "history", map[string]any{"limit": -1})
		refused(t, ada, "the arguments of history are not what it takes", "history", map[string]any{"limit": "many"})
		if lines := ask[conversation.Lines](t, ada, "history"); len(lines.Messages) != 7 || lines.Messages[0].Name == "" {
			t.Errorf("without an argument, the lobby's: %+v", lines)
		}
	})
}

// A store that answers nobody holds those who ask it, and not the workers of everybody else.
func TestThoseWhoAskAStoreThatHangsHoldUpNobody(t *testing.T) {
	db := postgrestest.Start(t)
	c := open(t, options{store: db.URL, workers: 8, Options: conversation.Options{MaxAsking: 2}})
	ada := c.Connect()
	var others []*socketiotest.Client
	for i := range 12 {
		bob := c.Connect()
		ask[conversation.People](t, bob, "join", fmt.Sprint(i))
		others = append(others, bob)
	}
	db.Pause()
	defer db.Resume()
	for i, bob := range others {
		bob.Emit("history", map[string]any{"room": fmt.Sprint(i)})
	}
	begin := time.Now()
	ada.Emit("chatMessage", "hello")
	if reply(t, ada); time.Since(begin) > 2*time.Second {
		t.Errorf("a message took %v", time.Since(begin))
	}
}
