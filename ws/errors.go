package ws

import "strconv"

// CloseError is what Feed returns when the peer broke the protocol or a limit:
// the status code to send in the close frame and a reason for logs. Feed only
// returns the values below, so both errors.As and errors.Is work, and a fault
// costs no allocation.
type CloseError struct {
	Code   StatusCode
	Reason string
}

// Error implements error.
func (e *CloseError) Error() string {
	return "ws: " + e.Reason + " (close " + strconv.Itoa(int(e.Code)) + ")"
}

// Faults seen in a frame header, in the order in which they are checked.
var (
	ErrReservedBits = &CloseError{StatusProtocolError, "reserved bit set"}
	// ErrReservedOpCode means opcode 3-7 or 11-15.
	ErrReservedOpCode    = &CloseError{StatusProtocolError, "reserved opcode"}
	ErrFragmentedControl = &CloseError{StatusProtocolError, "fragmented control frame"}
	// ErrUnexpectedContinuation means a continuation with no message begun.
	ErrUnexpectedContinuation = &CloseError{StatusProtocolError, "continuation without a message"}
	// ErrExpectedContinuation means a new message inside a fragmented one.
	ErrExpectedContinuation = &CloseError{StatusProtocolError, "new message before the end of the last"}
	// ErrTooManyFragments is 1008 and not 1009: the message may be small, its
	// number of frames is against our policy.
	ErrTooManyFragments = &CloseError{StatusPolicyViolation, "too many fragments"}
	ErrUnmasked         = &CloseError{StatusProtocolError, "unmasked client frame"}
	ErrControlTooLong   = &CloseError{StatusProtocolError, "control frame over 125 bytes"}
	// ErrLengthSign means the top bit of a 64-bit length is set.
	ErrLengthSign = &CloseError{StatusProtocolError, "top bit of length set"}
	// ErrLengthNotMinimal means a length that fits a shorter form.
	ErrLengthNotMinimal = &CloseError{StatusProtocolError, "length not minimally encoded"}
	ErrMessageTooBig    = &CloseError{StatusMessageTooBig, "message too big"}
)

// Faults seen in a payload.
var (
	// ErrDeflate means a compressed message that cannot be decompressed. Node's ws
	// answers 1007, too.
	ErrDeflate     = &CloseError{StatusInvalidPayload, "compressed message is damaged"}
	ErrInvalidText = &CloseError{StatusInvalidPayload, "text is not UTF-8"}
	// ErrShortClose means a close payload of one byte.
	ErrShortClose         = &CloseError{StatusProtocolError, "close payload of one byte"}
	ErrInvalidCloseCode   = &CloseError{StatusProtocolError, "invalid close code"}
	ErrInvalidCloseReason = &CloseError{StatusInvalidPayload, "close reason is not UTF-8"}
)
