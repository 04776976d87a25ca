package socketio

import (
	"bytes"
	"errors"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/valyala/bytebufferpool"
)

// Parser is how packets are written in messages, in place of the default, which is
// Socket.IO's JSON with attachments behind it. All clients of a server must speak it:
// nothing on the wire says which one it is. [Msgpack] is one; another has to make one
// message of each packet. Both methods are called by several goroutines at the same
// time, DecodePacket on event loops, so they must not block. Node: the parser option.
//
// The packets they deal in are package parser's: data are JSON in which
// {"_placeholder":true,"num":N} stands for attachment N, and a packet with attachments
// has a binary type.
type Parser interface {
	// AppendPacket appends the message of a packet to dst. Its data are a JSON array for
	// an event or an acknowledgement, an object for CONNECT and CONNECT_ERROR, or nil.
	// Slices are valid until it returns.
	AppendPacket(dst []byte, p *parser.Packet, attachments [][]byte) ([]byte, error)
	// DecodePacket reads a message of a client; binary says how it came. Its error closes
	// the connection. What it returns is taken as checked: JSON of the packet's type, an
	// event's name not reserved, one placeholder for each attachment. The packet may be a
	// part of message, which is used again afterwards, while the attachments are the
	// handlers' to keep.
	DecodePacket(message []byte, binary bool, lim *parser.Limits) (p parser.Packet, attachments [][]byte, err error)
	// Binary reports whether the messages of AppendPacket are binary ones.
	Binary() bool
}

// Msgpack is the Parser of clients with the npm package socket.io-msgpack-parser, such
// as client-dist/socket.io.msgpack.min.js. Binary then travels inside of its packet, and
// Options.MaxAttachments is 1,024 by default; a Date of the client is the string that
// the default parser would have made of it. [parser.Msgpack] has the details.
type Msgpack = parser.Msgpack

var _ Parser = Msgpack{}

// message takes a message for Options.Parser.
func (c *client) message(data []byte, binary bool) error {
	p, attachments, err := c.server.options.Parser.DecodePacket(data, binary, c.limits())
	if err == nil && c.eio3 {
		err = cutQuery(&p)
	}
	if err != nil {
		return err
	}
	switch p.Type {
	case parser.Connect:
		return c.connect(&p)
	case parser.ConnectError:
		return ErrUnexpectedPacket
	}
	c.dropping = c.overLimit()
	return c.route(&p, attachments)
}

// parsed builds the frame of a packet with Options.Parser, to be kept or not.
func (v *Server) parsed(p *parser.Packet, attachments [][]byte, kept bool) (*engine.Frame, error) {
	buf := bytebufferpool.Get()
	defer bytebufferpool.Put(buf)
	message, err := v.options.Parser.AppendPacket(buf.B[:0], p, attachments)
	if err != nil {
		return nil, err
	}
	buf.B = message
	f := frameToKeep(kept)(len(message))
	if v.options.Parser.Binary() {
		f.AppendBinary(message)
	} else {
		f.End(append(f.Begin(), message...))
	}
	return f, nil
}

// parsedFrame is newFrame for Options.Parser.
func (n *Namespace) parsedFrame(t parser.Type, id uint64, hasID bool, array []byte, attachments [][]byte) (*engine.Frame, error) {
	p := n.parsedPacket(t, id, hasID, array, attachments)
	f, err := n.server.parsed(&p, attachments, false)
	if err == nil && t == parser.Ack {
		f.SetKept()
	}
	return f, err
}

func (n *Namespace) parsedPacket(t parser.Type, id uint64, hasID bool, array []byte, attachments [][]byte) parser.Packet {
	if len(attachments) > 0 {
		t += parser.BinaryEvent - parser.Event // BinaryAck is as far from Ack
	}
	return parser.Packet{Type: t, Namespace: []byte(n.name), ID: id, HasID: hasID, Attachments: len(attachments), Data: array}
}

// errNoOffset is for a parser that changes the strings in an event.
var errNoOffset = errors.New("socketio: the parser leaves no place for an offset")

// parsedNumbered is newNumbered for Options.Parser: a stand-in of the same length is
// encoded where a count goes.
func (n *Namespace) parsedNumbered(array []byte, attachments [][]byte, flags Flags, t tail) (numbered, error) {
	standIn := n.server.log.standIn[:]
	data := append(append(bytes.Clone(array[:len(array)-1]), `,"`...), t.text...)
	if t.counted {
		data = append(data, standIn...)
	}
	data = append(data, `"]`...)
	p := n.parsedPacket(parser.Event, 0, false, data, attachments)
	f, err := n.server.parsed(&p, attachments, !flags.Volatile)
	if err != nil {
		return numbered{}, err
	}
	e := numbered{frame: f, at: -1}
	if t.counted {
		e.at = f.Find(standIn)
	}
	if t.counted && e.at < 0 {
		f.Release()
		return numbered{}, errNoOffset
	}
	flags.mark(f)
	return e, nil
}

// translated builds the frame of a packet that is there in the default parser's form:
// one of those that clients are sent when they come and go.
func (v *Server) translated(text []byte) (*engine.Frame, error) {
	p, err := parser.Decode(text, &parser.Limits{Depth: parser.MaxDepth, Namespace: len(text)})
	if err != nil {
		return nil, err
	}
	return v.parsed(&p, nil, false)
}

// translate returns the frame of a packet for Options.Parser in place of f; nil where
// it cannot be made, and the client, which cannot be told, has to go.
func (c *client) translate(f *engine.Frame, text []byte) *engine.Frame {
	f.Release()
	f, err := c.server.translated(text)
	if err != nil {
		c.server.options.Logger.Error("socketio: the parser does not take a packet", "error", err)
		c.session.Close()
		return nil
	}
	return f
}
