package socketio

import (
	"errors"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// limit is one of the Options that bound what somebody may ask for.
type limit uint8

const (
	limitDepth limit = iota
	limitAttachments
	limitAttachmentBytes
	limitMailbox
	limitPendingAcks
	limitRooms
	limitNamespaces
	limitNamespaceName
	limitChildNamespaces
	limitCount
)

// limitNames are the Options' names, and parser's for what has no option.
var limitNames = [limitCount]string{
	"MaxDepth", "MaxAttachments", "MaxAttachmentBytes", "MaxMailbox", "MaxPendingAcks", "MaxRooms", "MaxNamespaces",
	"DefaultNamespace", "MaxChildNamespaces",
}

// exceeded counts what was refused because of a limit.
func (c *counters) exceeded(l limit) { c.limits[l].Add(1) }

// exceededBy counts a violation of a client, if it is one of a limit.
func (c *counters) exceededBy(err error) {
	for _, each := range [...]struct {
		err error
		limit
	}{
		{parser.ErrDepth, limitDepth},
		{parser.ErrTooManyAttachments, limitAttachments},
		{parser.ErrBinaryTooLarge, limitAttachmentBytes},
		{parser.ErrNamespace, limitNamespaceName},
		{ErrMailboxFull, limitMailbox},
		{ErrTooManyNamespaces, limitNamespaces},
	} {
		if errors.Is(err, each.err) {
			c.exceeded(each.limit)
			return
		}
	}
}

// exceededLimits is how often each limit was met.
func (c *counters) exceededLimits() map[string]uint64 {
	m := make(map[string]uint64, limitCount)
	for l, name := range limitNames {
		m[name] = c.limits[l].Load()
	}
	return m
}
