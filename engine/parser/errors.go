package parser

import "errors"

// What can be wrong with one packet. All but ErrIgnore end the connection, as in Node.
var (
	// ErrEmpty is returned for a packet without a type.
	ErrEmpty = errors.New("parser: empty packet")
	// ErrUnknownType is returned for a first character that is not one of the seven type digits.
	ErrUnknownType = errors.New("parser: unknown packet type")
	// ErrIllegalAttachments is returned for an attachment count that is missing, zero or not a plain number, and for a
	// placeholder that does not name an announced attachment, or names one twice (CVE-2022-2421).
	ErrIllegalAttachments = errors.New("parser: illegal attachments")
	// ErrTooManyAttachments is returned for a count above Limits.Attachments (CVE-2026-33151).
	ErrTooManyAttachments = errors.New("parser: too many attachments")
	// ErrNamespace is returned for a namespace longer than Limits.Namespace.
	ErrNamespace = errors.New("parser: namespace too long")
	// ErrID is returned for an acknowledgement id above 2^53, where JavaScript stops counting, or of more than 16 digits.
	ErrID = errors.New("parser: illegal acknowledgement id")
	// ErrJSON is returned for a payload that is not exactly one JSON value.
	ErrJSON = errors.New("parser: invalid JSON")
	// ErrDepth is returned for a payload nested deeper than Limits.Depth.
	ErrDepth = errors.New("parser: payload nested too deep")
	// ErrInvalidPayload is returned for a payload whose shape does not belong to the packet's type.
	ErrInvalidPayload = errors.New("parser: invalid payload")
	// ErrReserved is returned for an event whose name is reserved for the server's own events (CVE-2024-38355).
	ErrReserved = errors.New("parser: reserved event name")
	// ErrIgnore is returned, together with the packet, for an event without payload. Node drops it and carries on.
	ErrIgnore = errors.New("parser: event without payload")
)

// What can be wrong with the sequence of packets and attachments; see [Binary]. Each ends the connection.
var (
	// ErrPlaintext is for the caller: text arrived while attachments were outstanding.
	ErrPlaintext = errors.New("parser: got plaintext data when reconstructing a packet")
	// ErrStrayBinary is for an attachment that no packet has announced.
	ErrStrayBinary = errors.New("parser: got binary data when not reconstructing a packet")
	// ErrBinaryTooLarge is returned when the attachments of one packet together exceed Binary.MaxBytes.
	ErrBinaryTooLarge = errors.New("parser: attachments too large")
)
