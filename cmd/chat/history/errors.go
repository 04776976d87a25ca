package history

import "errors"

// Why a message is not stored, or not read.
var (
	// ErrOff: there is no history.
	ErrOff = errors.New("history: it is switched off")
	// ErrDegraded: the store fails or is too slow. The message is not durable; it may be
	// stored later. What was asked for cannot be read now.
	ErrDegraded = errors.New("history: the store fails, messages are not stored for now")
	// ErrQueueFull: more messages wait to be written than may.
	ErrQueueFull = errors.New("history: too many messages wait to be stored")
	// ErrClosed: the history was closed.
	ErrClosed = errors.New("history: closed")
	// ErrRoom: the room's name is longer than MaxRoom.
	ErrRoom = errors.New("history: the room's name is too long to be stored")
	// ErrID: what was given is not the ID of a message.
	ErrID = errors.New("history: not the id of a message")
)

// Why the store fails.
var (
	errSlow    = errors.New("history: a write takes too long")
	errDamaged = errors.New("history: the store is damaged")
	errRefused = errors.New("history: the store refuses these messages")
)
