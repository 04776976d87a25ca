package auth

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/MicahParks/keyfunc/v3"
)

// maxKeyBytes bounds a file of keys and a key set from a URL.
const maxKeyBytes = 1 << 20

var errNoKeys = errors.New("there is no key in it that verifies tokens")

// localKeys reads what needs no network.
func localKeys(o *Options) (all keyring, err error) {
	if o.Secret != "" {
		k, err := secretKey([]byte(o.Secret))
		if err != nil {
			return nil, fmt.Errorf("auth: %w", err)
		}
		all = append(all, k)
	}
	for _, source := range []struct {
		path string
		read func([]byte) (keyring, error)
	}{{o.SecretFile, readSecrets}, {o.PublicKeyFile, readPEM}, {jwksFile(o.JWKS), readJWKS}} {
		if source.path == "" {
			continue
		}
		keys, err := keysOf(source.path, source.read)
		if err != nil {
			return nil, fmt.Errorf("auth: %s: %w", source.path, err)
		}
		all = append(all, keys...)
	}
	return all, nil
}

func keysOf(path string, read func([]byte) (keyring, error)) (keyring, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return read(b)
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err) // the caller names the file
	}
	defer func() { _ = f.Close() }() // was only read
	b, err := io.ReadAll(io.LimitReader(f, maxKeyBytes+1))
	if err == nil && len(b) > maxKeyBytes {
		err = fmt.Errorf("more than %d bytes", maxKeyBytes)
	}
	return b, err
}

// readSecrets reads one secret a line.
func readSecrets(b []byte) (all keyring, err error) {
	if bytes.Contains(b, []byte("-----BEGIN ")) {
		return nil, errors.New("this is PEM, and belongs to public keys: as a secret it would be one that everybody knows")
	}
	for line := range bytes.Lines(b) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		k, err := secretKey(line)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, checkCount(all)
}

func checkCount(all keyring) error {
	switch {
	case len(all) == 0:
		return errNoKeys
	case len(all) > maxKeys:
		return fmt.Errorf("more than %d keys", maxKeys)
	}
	return nil
}

// readPEM reads public keys and certificates.
func readPEM(b []byte) (all keyring, err error) {
	for {
		block, rest := pem.Decode(b)
		if block == nil {
			return all, checkCount(all)
		}
		b = rest
		p, err := publicOf(block)
		if err != nil {
			return nil, err
		}
		k, err := publicKey("", p)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
}

func publicOf(block *pem.Block) (crypto.PublicKey, error) {
	switch {
	case block.Type == "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case block.Type == "CERTIFICATE":
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return c.PublicKey, nil
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, errors.New("there is a private key in it: keep that where tokens are made, and give the public one (openssl pkey -pubout)")
	}
	return nil, fmt.Errorf("there is a %q in it, which is no key", block.Type)
}

// readJWKS reads a key set. A key that is not for us, such as one of a kind that is not
// known, is passed over (RFC 7517, 5).
func readJWKS(b []byte) (all keyring, err error) {
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(b, &set); err != nil {
		return nil, errors.New("it is no JSON Web Key Set")
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("more than %d keys", maxKeys)
	}
	for _, raw := range set.Keys {
		if k, ok := readJWK(raw); ok {
			all = append(all, k)
		}
	}
	return all, checkCount(all)
}

func readJWK(raw json.RawMessage) (k key, ok bool) {
	var about struct{ Kty, Use, Alg, Kid string }
	if json.Unmarshal(raw, &about) != nil || about.Kty == "oct" || about.Use != "" && about.Use != "sig" {
		return k, false
	}
	f, err := keyfunc.NewJWKJSON(raw)
	if err != nil {
		return k, false
	}
	set, err := f.VerificationKeySet(context.Background()) // a slice: nothing waits
	if err != nil || len(set.Keys) != 1 {
		return k, false
	}
	if k, err = publicKey(about.Kid, set.Keys[0]); err != nil {
		return k, false
	}
	if about.Alg != "" {
		if !slices.Contains(k.algorithms, about.Alg) {
			return k, false
		}
		k.algorithms = []string{about.Alg}
	}
	return k, true
}

// jwksFile returns where a key set is that is a file.
func jwksFile(where string) string {
	if isURL(where) {
		return ""
	}
	return where
}

func isURL(where string) bool {
	return strings.HasPrefix(where, "https://") || strings.HasPrefix(where, "http://")
}
