package ws

import gobwas "github.com/gobwas/ws"

// OpCode is a frame's opcode, RFC 6455 section 5.2.
type OpCode = gobwas.OpCode

// The opcodes of RFC 6455 section 11.8.
const (
	OpContinuation = gobwas.OpContinuation
	OpText         = gobwas.OpText
	OpBinary       = gobwas.OpBinary
	OpClose        = gobwas.OpClose
	OpPing         = gobwas.OpPing
	OpPong         = gobwas.OpPong
)

// StatusCode says why a connection was closed, RFC 6455 section 7.4.
type StatusCode = gobwas.StatusCode

// The status codes a server sends or meets, RFC 6455 section 7.4.1.
const (
	StatusNormalClosure       = gobwas.StatusNormalClosure           // 1000
	StatusGoingAway           = gobwas.StatusGoingAway               // 1001
	StatusProtocolError       = gobwas.StatusProtocolError           // 1002
	StatusUnsupportedData     = gobwas.StatusUnsupportedData         // 1003
	StatusNoStatus            = gobwas.StatusNoStatusRcvd            // 1005, never on the wire
	StatusAbnormalClosure     = gobwas.StatusAbnormalClosure         // 1006, never on the wire
	StatusInvalidPayload      = gobwas.StatusInvalidFramePayloadData // 1007
	StatusPolicyViolation     = gobwas.StatusPolicyViolation         // 1008
	StatusMessageTooBig       = gobwas.StatusMessageTooBig           // 1009
	StatusInternalServerError = gobwas.StatusInternalServerError     // 1011
)

// MaxControlPayload is the most a control frame may carry, in bytes,
// RFC 6455 section 5.5.
const MaxControlPayload = gobwas.MaxControlFramePayloadSize

// Bits of the first two header bytes, RFC 6455 section 5.2.
const (
	bitFIN     = 0x80
	bitsRSV    = 0x70
	bitRSV1    = 0x40 // on a message's first frame: it is compressed, RFC 7692 section 6
	bitsOp     = 0x0f
	bitControl = 0x08 // of the opcode
	bitMask    = 0x80
	bitsLen    = 0x7f
	length16   = 126 // the next two bytes hold the length
	length64   = 127 // the next eight bytes hold the length
)
