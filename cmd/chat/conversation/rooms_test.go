package conversation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

func in(room, text string) map[string]any { return map[string]any{"room": room, "text": text} }

func TestARoomIsForItsMembers(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, c *chat) {
		ada, bob, eve := c.Connect(), c.Connect(), c.Connect()
		ask[conversation.People](t, ada, "join", "tea")
		if got := ask[conversation.People](t, bob, "join", "tea"); got.Room != "tea" || got.Count != 2 || len(got.Names) != 2 || got.You == nil {
			t.Errorf("joined %+v", got)
		}
		time.Sleep(20 * time.Second)
		skip(ada, bob)
		ask[conversation.Sent](t, ada, "chatMessage", in("tea", "psst"))
		if text, m := reply(t, bob); text != "psst" || m.Room != "tea" {
			t.Errorf("bob read %q %+v", text, m)
		}
		eve.ExpectNothing()
		refused(t, eve, "join the room first", "history", map[string]any{"room": "tea"})
		refused(t, eve, "join the room first", "who", "tea")
		refused(t, eve, "join the room first", "typing", map[string]any{"room": "tea", "typing": true})

		if got := ask[conversation.Left](t, bob, "leave", " tea "); got.Room != "tea" {
			t.Errorf("left %+v", got)
		}
		refused(t, bob, "join the room first", "chatMessage", in("tea", "am I still there?"))
		ask[conversation.Left](t, bob, "leave", "tea") // twice does not matter
	})
}

// skip takes what has come to clients.
func skip(clients ...*socketiotest.Client) {
	for _, c := range clients {
		for c.Received() > 0 {
			c.Next()
		}
	}
}

func TestNamesOfRoomsAndPeopleAreChecked(t *testing.T) {
	c := open(t, options{})
	ada, bob := c.Connect(), c.Connect()
	refused(t, ada, "which room? everybody is in the lobby anyway", "join", " ")
	refused(t, ada, "which room? everybody is in the lobby anyway", "join")
	refused(t, ada, "the arguments of join are not what it takes", "join", 17)
	refused(t, ada, "a room's name has 64 characters at most", "join", strings.Repeat("a", 65))
	refused(t, ada, "a room's name has 64 characters at most", "join", strings.Repeat("𝕏", 65))
	refused(t, ada, "a room's name consists of characters that can be seen", "join", "a\x00b")
	refused(t, ada, "a room's name consists of characters that can be seen", "join", "a\u202eb")
	refused(t, ada, "this name is reserved", "join", "@lobby")
	refused(t, ada, "this name is reserved", "join", bob.ID()) // who is in it would read what is bob's
	refused(t, ada, "a name needs at least one character", "setName", "  ")
	refused(t, ada, "a name has 32 characters at most", "setName", strings.Repeat("é", 33))
	refused(t, ada, "a name consists of characters that can be seen", "setName", "line\nbreak")
	refused(t, ada, "the arguments of setName are not what it takes", "setName", map[string]any{"name": "x"})
	for _, fine := range []string{"tea", "Grüße & <b>", strings.Repeat("𝕏", 64), "日本語", "👩‍💻"} {
		if got := ask[conversation.People](t, ada, "join", fine); got.Room != fine {
			t.Errorf("joined %q, want %q", got.Room, fine)
		}
	}
}

func TestSomebodyIsNamedInTheNextMessageAndInPresence(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, c *chat) {
		ada, bob := c.Connect(), c.Connect()
		before := ask[conversation.People](t, bob, "who")
		ada.Emit("chatMessage", "as a guest")
		_, guest := reply(t, bob)
		named := ask[conversation.Person](t, ada, "setName", "  Ada \"L\" ")
		if named.Name != `Ada "L"` || named.ID != guest.From {
			t.Errorf("named %+v, was %+v", named, guest)
		}
		ada.Emit("chatMessage", "as myself")
		if _, m := reply(t, bob); m.Name != `Ada "L"` || m.From != guest.From {
			t.Errorf("the reply says %+v", m)
		}
		time.Sleep(2 * time.Second)
		after := presence(t, bob)
		if before.Count != 2 || !slices.Contains(before.Names, guest.Name) || after.Count != 2 || !slices.Contains(after.Names, named.Name) || slices.Contains(after.Names, guest.Name) {
			t.Errorf("present were %+v, then %+v", before, after)
		}
	})
}

// presence returns the last presence event that has come, behind nothing else.
func presence(t *testing.T, c *socketiotest.Client) (p conversation.People) {
	t.Helper()
	for first := true; first || c.Received() > 0; first = false {
		if err := c.Expect("presence").Args.Decode(&p); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func TestPresenceIsToldOnceASecondAndNamesAHundred(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, c *chat) {
		watcher, other := c.Connect(), c.Connect()
		ask[conversation.People](t, watcher, "who", "")
		time.Sleep(20 * time.Second)
		skip(watcher)
		var crowd []*socketiotest.Client
		for range 150 {
			crowd = append(crowd, c.Connect())
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		if n := watcher.Received(); n < 3 || n > 6 {
			t.Errorf("%d presence events in 5 s", n)
		}
		if p := presence(t, watcher); p.Count != 152 || len(p.Names) != 100 || len(p.IDs) != 100 || p.Room != "" || p.You != nil {
			t.Errorf("%d present, %d names, %d ids in %q, you are %v", p.Count, len(p.Names), len(p.IDs), p.Room, p.You)
		}
		for _, one := range crowd[:120] { // most of those that are named
			one.Disconnect()
		}
		time.Sleep(20 * time.Second)
		if p := presence(t, watcher); p.Count != 32 || len(p.Names) < 16 {
			t.Errorf("%d present, %d names", p.Count, len(p.Names))
		}
		other.ExpectNothing() // who has not asked is not told
		before := c.talk.Stats().Presence
		time.Sleep(time.Hour)
		if after := c.talk.Stats().Presence; after != before {
			t.Errorf("%d presence events while nothing changed", after-before)
		}
	})
}

func TestPresenceOfARoomFollowsWhoeverMovesItsMembers(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, c *chat) {
		ada, bob, eve := c.Connect(), c.Connect(), c.Connect()
		ask[conversation.People](t, ada, "join", "tea")
		ask[conversation.People](t, bob, "join", "tea")
		if err := eve.Socket().Join("tea"); err != nil { // by the server's owner
			t.Fatal(err)
		}
		if p := ask[conversation.People](t, ada, "who", "tea"); p.Count != 3 {
			t.Errorf("%d present, want 3", p.Count)
		}
		bob.Socket().Leave("tea")
		if p := ask[conversation.People](t, ada, "who", "tea"); p.Count != 2 || len(p.Names) > 2 {
			t.Errorf("%d present, %q, want 2", p.Count, p.Names)
		}
		ada.Disconnect()
		time.Sleep(20 * time.Second)
		skip(eve)
		if p := ask[conversation.People](t, eve, "who", "tea"); p.Count != 1 || len(p.Names) > 1 {
			t.Errorf("%d present, %q, want 1", p.Count, p.Names)
		}
	})
}

func TestRoomsAreBoundedAndForgotten(t *testing.T) {
	inBubble(t, options{Options: conversation.Options{MaxRooms: 3}}, func(t *testing.T, c *chat) {
		ada, bob := c.Connect(), c.Connect()
		for i := range 3 {
			ask[conversation.People](t, ada, "join", fmt.Sprint("room ", i))
		}
		refused(t, bob, "there are too many rooms: take one that exists", "join", "one more")
		ask[conversation.People](t, bob, "join", "room 0")
		ada.Disconnect()
		time.Sleep(2 * time.Second)
		if n := c.talk.Stats().Rooms; n != 1 {
			t.Errorf("%d rooms, want 1", n)
		}
		ask[conversation.People](t, bob, "join", "one more")
	})
}

func TestOneSocketIsInFiftyRoomsAtMost(t *testing.T) {
	c := open(t, options{})
	ada := c.Connect()
	for i := range 50 {
		ask[conversation.People](t, ada, "join", fmt.Sprint("room ", i))
	}
	ask[conversation.People](t, ada, "who")
	for i := 50; i < (50+conversation.OwnRooms)-1; i++ {
		ask[conversation.People](t, ada, "join", fmt.Sprint("room ", i))
	}
	refused(t, ada, "you are in too many rooms: leave one first", "join", "one too many")
	ask[conversation.People](t, ada, "join", "room 7") // again
}

func TestWhoRecoversIsInItsRoomsAgain(t *testing.T) {
	inBubble(t, options{recovery: &socketio.Recovery{}}, func(t *testing.T, c *chat) {
		ada, bob := c.Connect(), c.Connect()
		ask[conversation.People](t, ada, "join", "tea")
		ask[conversation.People](t, bob, "join", "tea")
		ask[conversation.Person](t, ada, "setName", "Ada")
		bob.Emit("chatMessage", in("tea", "one"))
		time.Sleep(20 * time.Second)
		skip(ada, bob)
		ada.Close()
		time.Sleep(2 * time.Second)
		if p := presence(t, bob); p.Count != 1 {
			t.Errorf("%d present while she is away", p.Count)
		}
		bob.Emit("chatMessage", in("tea", "two"))
		c.Settle()
		back := ada.Reconnect()
		if text, _ := reply(t, back); text != "two" || !back.Recovered() {
			t.Errorf("recovered %v, and read %q", back.Recovered(), text)
		}
		time.Sleep(2 * time.Second)
		reply(t, bob)
		if p := presence(t, bob); p.Count != 2 || !slices.Contains(p.Names, "Ada") {
			t.Errorf("present are %+v", p)
		}
		synctest.Wait()
	})
}
