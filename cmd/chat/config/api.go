package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// DefaultAPI is where the publishing API listens if nobody says.
const DefaultAPI = "127.0.0.1:3001"

// minAPIKey is the shortest key, in bytes: who guesses has to try.
const minAPIKey = 16

// API is how backends publish. It is served where there is a key.
type API struct {
	API        string   `name:"api" placeholder:"ADDRESS" help:"Address of the HTTP API for backends, or off; default: 127.0.0.1:3001, where there is a key. Not to be reached from the internet."`
	APIKey     []string `name:"api-key" secret:"" reload:"" placeholder:"KEY" help:"Keys that the API lets in, 16 characters at least, separated by commas; two while one replaces the other."`
	APIKeyFile string   `name:"api-key-file" type:"existingfile" reload:"" placeholder:"FILE" help:"File with such keys, one per line."`
	APITLSCert string   `name:"api-tls-cert" type:"existingfile" placeholder:"FILE" help:"Certificate of the API with its chain, PEM: it speaks https. Read again when it is replaced."`
	APITLSKey  string   `name:"api-tls-key" type:"existingfile" placeholder:"FILE" help:"Key of that certificate, PEM."`
}

func (a *API) validate() error {
	if (a.APITLSCert == "") != (a.APITLSKey == "") {
		return errors.New("--api-tls-cert and --api-tls-key belong together: give both, or none for plain http")
	}
	if a.API != "" && a.API != "off" && len(a.APIKey) == 0 && a.APIKeyFile == "" {
		return errors.New("--api lets nobody in without a key: give one with --api-key-file, FANFARE_API_KEY or --api-key, such as openssl rand -hex 32 prints")
	}
	return checkKeys("--api-key", a.APIKey)
}

// checkKeys says what is wrong with one of the keys, without showing it.
func checkKeys(from string, keys []string) error {
	for i, key := range keys {
		if len(key) < minAPIKey {
			return fmt.Errorf("%s: key %d has fewer than %d characters: take what openssl rand -hex 32 prints", from, i+1, minAPIKey)
		}
		if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("%s: key %d has characters that an HTTP header cannot have: take what openssl rand -hex 32 prints", from, i+1)
		}
	}
	return nil
}

// Address is where to listen; empty for not at all.
func (a *API) Address() string {
	switch {
	case a.API == "off" || len(a.APIKey) == 0 && a.APIKeyFile == "":
		return ""
	case a.API == "":
		return DefaultAPI
	}
	return a.API
}

// Keys returns the keys, those of the file included, which is read now.
func (a *API) Keys() ([]string, error) {
	keys := append([]string(nil), a.APIKey...)
	if a.APIKeyFile != "" {
		text, err := os.ReadFile(a.APIKeyFile)
		if err != nil {
			return nil, fmt.Errorf("--api-key-file: %w", err)
		}
		inFile := keysIn(string(text))
		if err := checkKeys("--api-key-file", inFile); err != nil {
			return nil, err
		}
		keys = append(keys, inFile...)
	}
	if a.Address() != "" && len(keys) == 0 {
		return nil, fmt.Errorf("--api-key-file %s has no key: write one into it, such as openssl rand -hex 32 prints", a.APIKeyFile)
	}
	return keys, nil
}

// keysIn returns the lines that are neither empty nor begin with #.
func keysIn(text string) (keys []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			keys = append(keys, line)
		}
	}
	return keys
}
