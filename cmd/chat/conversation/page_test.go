package conversation_test

import (
	"fmt"
	"testing"

	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
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
		refused(t, ada, "the limit must not be negative", "history", map[string]any{"limit": -1})
		refused(t, ada, "the arguments of history are not what it takes", "history", map[string]any{"limit": "many"})
		if lines := ask[conversation.Lines](t, ada, "history"); len(lines.Messages) != 7 || lines.Messages[0].Name == "" {
			t.Errorf("without an argument, the lobby's: %+v", lines)
		}
	})
}
