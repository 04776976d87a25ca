package engine

import (
	"bytes"
	"context"
	"crypto/tls"
	"sync"
)

// A session keeps the head of its opening request until somebody above has looked
// at it, which mostly takes one round trip: the buffers go round in a connect storm.

const (
	// headGrain is what the buffers' sizes are multiples of, in bytes: a server that
	// keeps all heads (socketio.Options.KeepHandshake) wastes less than that on each.
	headGrain = 256
	// headSizes is how many sizes have a pool; 2 KiB is a browser's head with some
	// cookies. Larger ones are left to the garbage collector.
	headSizes = 8
)

// keptHead is the copy of a request head, and what belongs to the request beside it.
type keptHead struct {
	b      []byte
	values context.Context      // what the application made of the request; nil for nothing
	tls    *tls.ConnectionState // of the connection it came over; nil without TLS
}

var headPools [headSizes]sync.Pool

// keepHead copies b, which is not empty.
func keepHead(b []byte) *keptHead {
	size := (len(b) - 1) / headGrain
	if size >= headSizes {
		return &keptHead{b: bytes.Clone(b)}
	}
	k, _ := headPools[size].Get().(*keptHead)
	if k == nil {
		k = &keptHead{b: make([]byte, 0, (size+1)*headGrain)}
	}
	k.b = append(k.b[:0], b...)
	return k
}

// free gives the buffer back; nobody may hold a part of it.
func (k *keptHead) free() {
	k.values, k.tls = nil, nil
	if size := cap(k.b)/headGrain - 1; size < headSizes {
		headPools[size].Put(k)
	}
}
