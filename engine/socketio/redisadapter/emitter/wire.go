package emitter

import (
	"context"
	"encoding/base64"
	"strconv"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// kind is what servers are to do: as Classic numbers it, and as Streams does.
type kind struct{ classic, streams int }

var (
	broadcast  = kind{streams: 3}
	join       = kind{2, 4}
	leave      = kind{3, 5}
	disconnect = kind{4, 6}
	serverSide = kind{6, 9}
)

// publishEvent sends a broadcast: an array of msgpack, on the channel of the room if there
// is one.
func (o operator) publishEvent(ctx context.Context, array []byte, attachments [][]byte) error {
	text := []byte(`["` + uid + `",`)
	text = append(o.appendPacket(text, array), ',')
	text = append(o.appendOpts(text), ']')
	body, err := parser.AppendMsgpack(nil, text, attachments)
	if err != nil {
		return err
	}
	channel := o.options.Prefix + "#" + o.nsp + "#"
	if len(o.rooms) == 1 {
		channel += o.rooms[0] + "#"
	}
	return o.publish(ctx, channel, body)
}

func (o operator) appendPacket(dst, array []byte) []byte {
	dst = append(append(dst, `{"type":2,"data":`...), array...)
	return append(parser.AppendString(append(dst, `,"nsp":`...), o.nsp), '}')
}

// appendOpts has the order of Node's emitters, which is not that of its servers.
func (o operator) appendOpts(dst []byte) []byte {
	dst = cluster.AppendStrings(append(dst, `{"rooms":`...), o.rooms)
	dst = cluster.AppendFlags(append(dst, `,"flags":`...), &o.flags)
	dst = cluster.AppendStrings(append(dst, `,"except":`...), o.except)
	return append(dst, '}')
}

// appendWho begins what servers are asked to do with sockets.
func (o operator) appendWho(dst []byte, end string) []byte {
	dst = cluster.AppendStrings(append(dst, `"opts":{"rooms":`...), o.rooms)
	dst = cluster.AppendStrings(append(dst, `,"except":`...), o.except)
	return append(dst, end...)
}

// request sends what is to be done with the sockets selected; rest is what it says
// besides.
func (o operator) request(ctx context.Context, k kind, rest []byte) error {
	if o.options.Streams {
		data := append(o.appendWho([]byte{'{'}, `,"flags":{}}`), rest...)
		return o.add(ctx, o.nsp, k.streams, string(append(data, '}')))
	}
	text := append(strconv.AppendInt([]byte(`{"type":`), int64(k.classic), 10), ',')
	text = append(o.appendWho(text, "}"), rest...)
	return o.publish(ctx, o.requests(), append(text, '}'))
}

// requests is the channel of all that is no broadcast.
func (o operator) requests() string { return o.options.Prefix + "-request#" + o.nsp + "#" }

func (o operator) publishServerSide(ctx context.Context, array []byte, attachments [][]byte) error {
	text := append(strconv.AppendInt([]byte(`{"uid":"`+uid+`","type":`), int64(serverSide.classic), 10), `,"data":`...)
	text, err := parser.AppendBuffers(text, array, attachments)
	if err != nil {
		return err
	}
	return o.publish(ctx, o.requests(), append(text, '}'))
}

// addEvent appends a broadcast to the stream.
func (o operator) addEvent(ctx context.Context, array []byte, attachments [][]byte) error {
	data := append(o.appendPacket([]byte(`{"packet":`), array), `,"opts":`...)
	return o.addData(ctx, broadcast, append(o.appendOpts(data), '}'), attachments)
}

func (o operator) addServerSide(ctx context.Context, array []byte, attachments [][]byte) error {
	return o.addData(ctx, serverSide, append(append([]byte(`{"packet":`), array...), '}'), attachments)
}

// addData appends what may have bytes in it: that is msgpack, as base64.
func (o operator) addData(ctx context.Context, k kind, data []byte, attachments [][]byte) error {
	if len(attachments) == 0 {
		return o.add(ctx, o.nsp, k.streams, string(data))
	}
	packed, err := parser.AppendMsgpack(nil, data, attachments)
	if err != nil {
		return err
	}
	return o.add(ctx, o.nsp, k.streams, base64.StdEncoding.EncodeToString(packed))
}
