package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// keys are the API keys that are let in, as digests: comparing takes the same time
// whatever is compared, and a dump of the memory shows none. Immutable.
type keys [][sha256.Size]byte

func newKeys(words []string) *keys {
	k := make(keys, len(words))
	for i, w := range words {
		k[i] = sha256.Sum256([]byte(w))
	}
	return &k
}

// takes reports whether the key is one of them. All are looked at, wherever it stands.
func (k *keys) takes(key string) bool {
	sum, found := sha256.Sum256([]byte(key)), 0
	for i := range *k {
		found |= subtle.ConstantTimeCompare(sum[:], (*k)[i][:])
	}
	return found == 1
}

// keyOf returns the key that a request shows: in X-API-Key, or as a bearer token.
func keyOf(r *http.Request) (key string, ok bool) {
	if key := r.Header.Get("X-Api-Key"); key != "" {
		return key, true
	}
	scheme, key, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(key), ok && strings.EqualFold(scheme, "Bearer")
}
