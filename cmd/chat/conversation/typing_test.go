package conversation_test

import (
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
)

func TestTypingIsToldToTheOthersOnceASecond(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, c *chat) {
		ada, bob, eve := c.Connect(), c.Connect(), c.Connect()
		you := ask[conversation.People](t, ada, "who").You
		ask[conversation.People](t, bob, "who")
		time.Sleep(20 * time.Second)
		skip(ada, bob)
		writes, stopped := map[string]any{"typing": true}, map[string]any{"typing": false}
		ada.Emit("typing", stopped) // what nobody began
		for range 10 {
			ada.EmitAck("typing", writes)
		}
		ada.Emit("typing", stopped)
		c.Settle()
		for _, typing := range []bool{true, false} {
			want := conversation.Typing{Name: you.Name, ID: you.ID, Typing: typing}
			bob.Expect("typing", want)
		}
		bob.ExpectNothing()
		ada.ExpectNothing()
		eve.ExpectNothing() // did not ask for the lobby's presence
		time.Sleep(time.Second)
		ada.Emit("typing", writes)
		bob.Expect("typing")
		if got := c.talk.Stats(); got.Typing != 3 || got.TypingDropped != 10 {
			t.Errorf("counted %+v", got)
		}
	})
}

func TestTypingInARoomIsForItsMembers(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, c *chat) {
		ada, bob, eve := c.Connect(), c.Connect(), c.Connect()
		ask[conversation.People](t, ada, "join", "tea")
		ask[conversation.People](t, bob, "join", "tea")
		ask[conversation.People](t, eve, "who")
		time.Sleep(20 * time.Second)
		skip(ada, bob, eve)
		ada.Emit("typing", map[string]any{"room": "tea", "typing": true})
		var got conversation.Typing
		if err := bob.Expect("typing").Args.Decode(&got); err != nil || got.Room != "tea" || !got.Typing {
			t.Errorf("bob is told %+v, %v", got, err)
		}
		eve.ExpectNothing()
		refused(t, ada, "the arguments of typing are not what it takes", "typing", "yes")
	})
}
