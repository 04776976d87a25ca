package conversation

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// patience is how long an acknowledgement waits for a message to be durable. Then it says that it is not known to be.
const patience = 10 * time.Second

// chatMessage is the handler of ChatMessage.
func (c *Conversation) chatMessage(ctx context.Context, s *socketio.Socket, said socketio.Raw, cb socketio.Callback[Sent]) error {
	text, room, err := c.message(s, said)
	if err != nil {
		return c.counted(err)
	}
	who := speaker(s)
	m, receipt, err := c.publish(history.Message{Room: room, User: who.user, Name: who.Name, Text: text}, who.meta)
	if err != nil || !cb.Wanted() {
		return err
	}
	o := owed{cb: cb, receipt: receipt, sent: Sent{ID: m.ID, At: m.At.UTC().Format(time.RFC3339Nano)}, until: time.Now().Add(patience)}
	if c.history.State() == history.Off {
		return cb.Reply(o.sent)
	}
	if !c.waiting.add(c, o) {
		return c.acknowledge(ctx, &o)
	}
	return nil
}

// message reads a text, or {text, room}.
func (c *Conversation) message(s *socketio.Socket, said socketio.Raw) (text, room string, err error) {
	if text, ok := plain(said); ok {
		return text, "", c.checkText(text)
	}
	var long struct{ Text, Room string }
	if len(said) > 0 && said[0] == '"' {
		err = json.Unmarshal(said, &long.Text)
	} else {
		err = json.Unmarshal(said, &long)
	}
	if err != nil {
		return "", "", refuse("a message is a text, or an object {text, room}")
	}
	if room, err = c.member(s, long.Room); err != nil {
		return "", "", err
	}
	return long.Text, room, c.checkText(long.Text)
}

// plain returns the text of a JSON string without escapes. The packet's JSON and UTF-8 are checked already.
func plain(said socketio.Raw) (text string, ok bool) {
	if len(said) < 2 || said[0] != '"' {
		return "", false
	}
	inner := said[1 : len(said)-1]
	for _, b := range inner {
		if b == '\\' {
			return "", false
		}
	}
	return string(inner), true
}

func (c *Conversation) checkText(text string) error {
	if strings.TrimSpace(text) == "" {
		return refuse("a message needs some text")
	}
	if len(text) > c.options.MaxText && utf8.RuneCountInString(text) > c.options.MaxText {
		return refuse("the message is too long")
	}
	return nil
}

// Publish says something in the name of somebody: to everybody, or to a room's members, and into the history. The message
// that it returns has its ID and time; the receipt says when it is durable. It never blocks. It is for those who publish
// without being a client, and checks nothing. The error is that of socketio's Emit.
func (c *Conversation) Publish(m history.Message) (history.Message, *history.Receipt, error) {
	var meta string
	if m.User != "" {
		meta = `,"user":` + quoted(m.User)
	}
	if m.Name != "" {
		meta += `,"name":` + quoted(m.Name)
	}
	return c.publish(m, meta)
}

// publish is Publish with what the reply says of the sender.
func (c *Conversation) publish(m history.Message, who string) (history.Message, *history.Receipt, error) {
	m, receipt := c.history.Add(m)
	meta := make([]byte, 0, 96+len(who)+len(m.Room))
	meta = append(append(append(meta, `{"id":"`...), m.ID...), `","at":"`...)
	meta = append(m.At.UTC().AppendFormat(meta, time.RFC3339Nano), '"')
	if m.Room != "" {
		meta = append(append(meta, `,"room":`...), quoted(m.Room)...)
	}
	meta = append(append(meta, who...), '}')
	c.stats.messages.Add(1)
	c.fleet.said(&m)
	return m, receipt, c.to(m.Room).Emit(string(Reply), m.Text, socketio.Raw(meta))
}
