package api

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// emitRequest is one event for many.
type emitRequest struct {
	Namespace  string    `json:"namespace"`
	Rooms      []string  `json:"rooms"`
	Except     []string  `json:"except"`
	Event      string    `json:"event"`
	Args       arguments `json:"args"`
	Volatile   bool      `json:"volatile"`
	NoCompress bool      `json:"no_compress"`
	Count      bool      `json:"count"`
	AckTimeout int       `json:"ack_timeout_ms"`
}

// emitAnswer is what became of it.
type emitAnswer struct {
	Sockets   *int           `json:"sockets,omitempty"`   // how many it was for; where it was asked for, or acknowledged
	Answers   []ackAnswer    `json:"answers,omitempty"`   // in the order in which they came
	Missing   []missingReply `json:"missing,omitempty"`   // who has not acknowledged
	Answered  int            `json:"answered,omitempty"`  // how many have, those included that are not listed
	Truncated bool           `json:"truncated,omitempty"` // not all of them are listed
}

type ackAnswer struct {
	Socket string          `json:"socket"`
	Args   json.RawMessage `json:"args"`
}

type missingReply struct {
	Socket string `json:"socket"`
	Reason string `json:"reason"`
}

func emit(c *call, q *emitRequest) (a emitAnswer, err error) {
	b, args, err := q.prepare(c)
	if err != nil {
		return a, err
	}
	if q.AckTimeout != 0 {
		return q.ask(c, b, args)
	}
	if q.Count {
		if a.Sockets, err = count(c, b); err != nil {
			return a, err
		}
	}
	return a, b.Emit(q.Event, args)
}

// prepare checks the request.
func (q *emitRequest) prepare(c *call) (b socketio.BroadcastOperator, args socketio.Args, err error) {
	if q.Event == "" {
		return b, args, Invalid("event: missing")
	}
	most := int(c.server.options.MaxAckTimeout.Milliseconds())
	if q.AckTimeout < 0 || q.AckTimeout > most {
		return b, args, Invalid("ack_timeout_ms: want 1 to %d", most)
	}
	if b, err = c.chosen(q.Namespace, q.Rooms, q.Except); err != nil {
		return b, args, err
	}
	if q.Volatile {
		b = b.Volatile()
	}
	if q.NoCompress {
		b = b.Compress(false)
	}
	args, err = q.Args.parse()
	return b, args, err
}

func count(c *call, b socketio.BroadcastOperator) (*int, error) {
	n, err := b.Count(c.ctx)
	return &n, err
}

// ask emits, and collects acknowledgements until all are there or it is time.
func (q *emitRequest) ask(c *call, b socketio.BroadcastOperator, args socketio.Args) (a emitAnswer, err error) {
	ctx, cancel := context.WithTimeout(c.whole, time.Duration(q.AckTimeout)*time.Millisecond)
	defer cancel()
	sockets, bytes := 0, 0
	for answer, err := range b.AskAll(ctx, q.Event, args) {
		switch {
		case answer.SocketID == "" && err != nil:
			return a, err
		case err != nil:
			a.lack(c, answer.SocketID, err)
		default:
			a.Answered++
			if text := attach(answer.Value); c.fits(len(a.Answers)+len(a.Missing), bytes+len(text)) {
				bytes += len(text)
				a.Answers = append(a.Answers, ackAnswer{answer.SocketID, text})
			} else {
				a.Truncated = true
			}
		}
		sockets++
	}
	a.Sockets = &sockets
	return a, nil
}

// lack writes down a socket that has not acknowledged.
func (a *emitAnswer) lack(c *call, id string, err error) {
	if !c.fits(len(a.Answers)+len(a.Missing), 0) {
		a.Truncated = true
		return
	}
	reason := "timeout"
	switch {
	case errors.Is(err, socketio.ErrDisconnected):
		reason = "disconnected"
	case errors.Is(err, socketio.ErrAnswersTooLarge):
		reason = "too_large"
	}
	a.Missing = append(a.Missing, missingReply{id, reason})
}

// fits reports whether an answer of so many acknowledgements and bytes may have one more.
func (c *call) fits(n, bytes int) bool {
	return n < c.server.options.MaxAnswers && bytes <= c.server.options.MaxAnswerBytes
}

// broadcastRequest is several events, in their order.
type broadcastRequest struct {
	Emits batch `json:"emits"`
}

type broadcastAnswer struct {
	Results []result `json:"results"` // one for each, in their order
	Failed  int      `json:"failed"`  // how many have an error
}

// result is what became of one of several.
type result struct {
	emitAnswer
	Error *Problem `json:"error,omitempty"`
}

// batch is the JSON of several emits.
type batch []json.RawMessage

func (b *batch) setRaw(value []byte) error {
	i, ok := opening(value, '[')
	if !ok {
		return Invalid("want an array of objects")
	}
	*b = batch{}
	for {
		_, item, next, more := member(value, i, false)
		if !more {
			return nil
		}
		*b = append(*b, item)
		i = next
	}
}

// broadcast emits one after the other. What is wrong with one keeps none of the others.
func broadcast(c *call, q *broadcastRequest) (a broadcastAnswer, err error) {
	if len(q.Emits) == 0 {
		return a, Invalid("emits: missing")
	}
	if most := c.server.options.MaxBatch; len(q.Emits) > most {
		return a, Invalid("emits: %d of them, the most are %d", len(q.Emits), most)
	}
	a.Results = make([]result, len(q.Emits))
	for i, item := range q.Emits {
		one := new(emitRequest)
		if err = decodeObject(item, one); err == nil && one.AckTimeout != 0 {
			err = Invalid("ack_timeout_ms: not in a batch; use /v1/emit")
		}
		if err == nil {
			a.Results[i].emitAnswer, err = emit(c, one)
		}
		if err != nil {
			a.Failed++
			p := problemOf(err)
			a.Results[i] = result{Error: &Problem{p.Status, p.Code, "emits[" + strconv.Itoa(i) + "]: " + p.Message}}
		}
	}
	return a, nil
}
