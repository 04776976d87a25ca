package conversation_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
)

func TestAMessageReachesEverybodyAndIsAcknowledgedWhenItIsStored(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, c *chat) {
		ada, bob := c.Connect(), c.Connect()
		sent := ask[conversation.Sent](t, ada, "chatMessage", "hello <b> \"there\" \\ 👋")
		if !sent.Stored || len(sent.ID) != 26 {
			t.Errorf("acknowledged with %+v", sent)
		}
		text, m := reply(t, ada)
		again, n := reply(t, bob)
		if text != `hello <b> "there" \ 👋` || again != text || m != n {
			t.Errorf("replies %q %+v and %q %+v", text, m, again, n)
		}
		if m.ID != sent.ID || m.At != sent.At || !strings.HasPrefix(m.Name, "Guest-") || len(m.From) != 8 || m.Room+m.User != "" {
			t.Errorf("the reply says %+v, the acknowledgement %+v", m, sent)
		}
		if at, err := time.Parse(time.RFC3339Nano, m.At); err != nil || time.Since(at) > time.Second {
			t.Errorf("at %q: %v", m.At, err)
		}
	})
}

func TestAMessageMayBeATextOrAnObject(t *testing.T) {
	c := open(t, options{})
	ada := c.Connect()
	ask[conversation.People](t, ada, "join", "  tea  ")
	for _, one := range []struct {
		said any
		text string
		room string
	}{
		{"plain", "plain", ""},
		{"  spaces stay\n", "  spaces stay\n", ""},
		{map[string]any{"text": "as an object"}, "as an object", ""},
		{map[string]any{"text": "in a room", "room": "tea"}, "in a room", "tea"},
		{map[string]any{"text": "null is the lobby", "room": nil}, "null is the lobby", ""},
		{strings.Repeat("é", 4000), strings.Repeat("é", 4000), ""},
	} {
		ada.Emit("chatMessage", one.said)
		for e := ada.Next(); ; e = ada.Next() {
			if e.Name == "presence" {
				continue
			}
			var text string
			var m meta
			if err := e.Args.Decode(&text, &m); err != nil || text != one.text || m.Room != one.room {
				t.Errorf("%v came as %q in %q: %v", one.said, text, m.Room, err)
			}
			break
		}
	}
}

func TestWhatIsNoMessageIsRefused(t *testing.T) {
	c := open(t, options{Options: conversation.Options{MaxText: 5}})
	ada, bob := c.Connect(), c.Connect()
	const form = "a message is a text, or an object {text, room}"
	refused(t, ada, "a message needs some text", "chatMessage", "")
	refused(t, ada, "a message needs some text", "chatMessage", " \n\t ")
	refused(t, ada, "a message needs some text", "chatMessage", map[string]any{})
	refused(t, ada, "the message is too long", "chatMessage", "éééééé")
	refused(t, ada, "the message is too long", "chatMessage", map[string]any{"text": "123456"})
	refused(t, ada, form, "chatMessage", 17)
	refused(t, ada, form, "chatMessage", []string{"x"})
	refused(t, ada, form, "chatMessage")
	refused(t, ada, form, "chatMessage", map[string]any{"text": 1})
	refused(t, ada, "the arguments of chatMessage are not what it takes", "chatMessage", []byte("attached"))
	refused(t, ada, "join the room first", "chatMessage", map[string]any{"text": "hi", "room": "tea"})
	ada.Emit("chatMessage", "") // nobody asked: nothing happens
	bob.ExpectNothing()
	if got := c.talk.Stats(); got.Messages != 0 || got.Refused != 11 {
		t.Errorf("counted %+v", got)
	}
}

func TestWithoutHistoryMessagesAreAcknowledgedAtOnce(t *testing.T) {
	inBubble(t, options{store: "off"}, func(t *testing.T, c *chat) {
		ada := c.Connect()
		if sent := ask[conversation.Sent](t, ada, "chatMessage", "hello"); sent.Stored || sent.ID == "" {
			t.Errorf("acknowledged with %+v", sent)
		}
		lines := ask[conversation.Lines](t, ada, "history", map[string]any{})
		if lines.State != "off" || lines.Messages == nil || len(lines.Messages) > 0 || lines.More {
			t.Errorf("history %+v", lines)
		}
	})
}

func TestThousandsOfMessagesThatWaitToBeStoredAreAllAcknowledged(t *testing.T) {
	c := open(t, options{Options: conversation.Options{MaxWaiting: 100}})
	ada := c.Connect()
	var asked []interface{ Answered() bool }
	for range 2000 {
		asked = append(asked, ada.Ask("chatMessage", "x"))
	}
	for range asked {
		reply(t, ada)
	}
	ask[conversation.Sent](t, ada, "chatMessage", "the last one")
	c.Settle()
	for i, a := range asked {
		if !a.Answered() {
			t.Fatalf("message %d of %d is not acknowledged", i, len(asked))
		}
	}
	if got := c.talk.Stats(); got.Waiting != 0 || got.Unstored != 0 {
		t.Errorf("counted %+v", got)
	}
}

func TestWhatAnotherPublishesIsAReply(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, c *chat) {
		ada := c.Connect()
		m, receipt, err := c.talk.Publish(history.Message{User: "bot", Name: `the "bot"`, Text: "good morning"})
		if err != nil {
			t.Fatal(err)
		}
		text, got := reply(t, ada)
		if text != "good morning" || got.ID != m.ID || got.User != "bot" || got.Name != `the "bot"` || got.From != "" {
			t.Errorf("replied %q %+v", text, got)
		}
		synctest.Wait()
		if err := receipt.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
