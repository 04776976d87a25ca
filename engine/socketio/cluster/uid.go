package cluster

import (
	"crypto/rand"
	"encoding/hex"
)

// NewUID returns a name that no other has: 64 random bits as 16 hexadecimal digits, as
// Node's ClusterAdapter is called, and its requests are. Safe for concurrent use.
func NewUID() string {
	var raw [8]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	return hex.EncodeToString(raw[:])
}
