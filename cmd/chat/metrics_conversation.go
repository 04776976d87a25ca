package main

import (
	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/pprof"
)

// chatMetrics lists what is said and where, in numbers.
func chatMetrics(c *conversation.Conversation) []pprof.Metric {
	of := func(kind pprof.Kind, name, help string, read func(conversation.Stats) uint64) pprof.Metric {
		return single(c.Stats, kind, name, help, read)
	}
	return []pprof.Metric{
		of(pprof.Counter, "fanfare_chat_messages_total", "Messages sent to the lobby or a room.", func(s conversation.Stats) uint64 { return s.Messages }),
		of(pprof.Counter, "fanfare_chat_refused_total", "Requests of chat clients that were refused.", func(s conversation.Stats) uint64 { return s.Refused }),
		of(pprof.Counter, "fanfare_chat_unstored_total", "Messages acknowledged as not stored, while there is a history.", func(s conversation.Stats) uint64 { return s.Unstored }),
		of(pprof.Gauge, "fanfare_chat_acks_waiting", "Messages whose acknowledgement waits until they are durable.", func(s conversation.Stats) uint64 { return uint64(s.Waiting) }),
		of(pprof.Gauge, "fanfare_chat_rooms", "Rooms with somebody in them, beside the lobby.", func(s conversation.Stats) uint64 { return uint64(s.Rooms) }),
		of(pprof.Counter, "fanfare_chat_presence_total", "Times that a room was told who is in it.", func(s conversation.Stats) uint64 { return s.Presence }),
		of(pprof.Counter, "fanfare_chat_typing_total", "Typing events passed on.", func(s conversation.Stats) uint64 { return s.Typing }),
		of(pprof.Counter, "fanfare_chat_typing_dropped_total", "Typing events that came too often.", func(s conversation.Stats) uint64 { return s.TypingDropped }),
	}
}
