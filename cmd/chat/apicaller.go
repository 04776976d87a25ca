package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// apiCaller asks the API of a running server.
type apiCaller struct {
	client  *http.Client
	url     string
	key     string
	timeout time.Duration
}

// maxAPIAnswer is the longest answer that is read, in bytes.
const maxAPIAnswer = 64 << 20

func newAPICaller(c *emit) (*apiCaller, error) {
	keys, err := c.API.Keys()
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New("no key: give the server's with --api-key-file, FANFARE_API_KEY or --config")
	}
	a := &apiCaller{client: &http.Client{}, key: keys[0], timeout: c.Timeout, url: strings.TrimSuffix(c.URL, "/")}
	if a.url == "" {
		a.url = urlOf(c.API.Address(), c.API.APITLSCert != "")
	}
	if u, err := url.Parse(a.url); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("--url %s is no URL: give scheme and host, such as http://127.0.0.1:3001", a.url)
	}
	if c.API.APITLSCert != "" {
		if a.client.Transport, err = trusting(c.API.APITLSCert); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// urlOf is where a server listens on an address: on this machine, where it says nothing else.
func urlOf(address string, https bool) string {
	scheme := "http"
	if https {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	return scheme + "://" + address
}

// trusting is a transport that believes a certificate beside those of the system.
func trusting(certFile string) (http.RoundTripper, error) {
	pem, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("--api-tls-cert: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(pem)
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: pool}
	return t, nil
}

// post asks, and reads the answer into answer. What the server refuses has an exit code of
// its own.
func (a *apiCaller) post(path string, question any, extra time.Duration, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.timeout+extra)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Api-Key", a.key)
	got, err := a.client.Do(r)
	if err != nil {
		return fmt.Errorf("the API does not answer: is the server running, with --api and --api-key, at %s? (%w)", a.url, err)
	}
	defer func() { _ = got.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(got.Body, maxAPIAnswer))
	if err != nil {
		return err
	}
	if got.StatusCode != http.StatusOK {
		return refusal(got, text)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("%s answers with something else than this program's API (%w)", a.url, err)
	}
	return nil
}

// refusal is the error of an answer that is not 200.
func refusal(got *http.Response, text []byte) error {
	e := errorIn(text)
	if e == nil {
		return fmt.Errorf("%s answers %s: that is not this program's API", got.Request.URL, got.Status)
	}
	err := fmt.Errorf("%s: %w", got.Status, e)
	if got.StatusCode == http.StatusUnauthorized {
		err = fmt.Errorf("%w: the server has another key", err)
	}
	if got.StatusCode >= http.StatusInternalServerError {
		return err
	}
	return &codedError{err, exitRefused}
}
