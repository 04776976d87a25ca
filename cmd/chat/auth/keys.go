package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

const (
	minSecret = 32   // bytes: RFC 7518, 3.2, for HS256
	minRSA    = 2048 // bits: RFC 7518, 3.3
	maxKeys   = 100  // of one source: an issuer has two or three
	maxTried  = 16   // keys that one token is tried with
)

// algorithms that a kind of key may verify. "none" is nobody's.
var (
	algorithmsHMAC = []string{"HS256", "HS384", "HS512"}
	algorithmsRSA  = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	algorithmsEd   = []string{"EdDSA"}
)

// key verifies tokens. What it may verify follows from its kind, and never from the
// token: a public key is no HMAC's secret, however a token wishes it.
type key struct {
	id         string // of a key set; empty for any
	algorithms []string
	value      any // []byte or a public key, as jwt wants it
}

// keyring is what tokens are verified with; immutable.
type keyring []key

// secretKey is a key that signs and verifies.
func secretKey(secret []byte) (key, error) {
	if len(secret) < minSecret {
		return key{}, fmt.Errorf("a secret has %d bytes, and needs %d at least: make one with openssl rand -base64 48", len(secret), minSecret)
	}
	return key{algorithms: algorithmsHMAC, value: secret}, nil
}

// publicKey is a key that verifies only.
func publicKey(id string, p crypto.PublicKey) (key, error) {
	switch p := p.(type) {
	case *rsa.PublicKey:
		if p.N.BitLen() < minRSA {
			return key{}, fmt.Errorf("an RSA key has %d bits, and needs %d at least", p.N.BitLen(), minRSA)
		}
		return key{id, algorithmsRSA, p}, nil
	case *ecdsa.PublicKey:
		name, ok := map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[p.Curve.Params().BitSize]
		if !ok {
			return key{}, errors.New("an ECDSA key is of another curve than P-256, P-384 or P-521")
		}
		return key{id, []string{name}, p}, nil
	case ed25519.PublicKey:
		return key{id, algorithmsEd, p}, nil
	}
	return key{}, fmt.Errorf("a key is of a kind that verifies no tokens: %T", p)
}

// find returns the keys that may have signed a token with this algorithm and key id.
func (k keyring) find(algorithm, id string) (found []jwt.VerificationKey) {
	for i := range k {
		if len(found) < maxTried && k[i].fits(algorithm, id) {
			found = append(found, k[i].value)
		}
	}
	return found
}

func (k *key) fits(algorithm, id string) bool {
	return slices.Contains(k.algorithms, algorithm) && (k.id == "" || id == "" || k.id == id)
}
