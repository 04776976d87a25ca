package auth

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// maxAnswer bounds the backend's answer, in bytes.
const maxAnswer = 64 << 10

// The headers of a signed question.
const (
	headerTimestamp = "X-Fanfare-Timestamp" // s since 1970
	headerSignature = "X-Fanfare-Signature" // "sha256=" and HMAC-SHA256 of timestamp "." body, in hex
)

// backend asks a program of the operator's who somebody is.
type backend struct {
	hook     Webhook // immutable, as below
	secret   []byte
	client   *http.Client
	gate     *gate
	breaker  breaker
	counters *counters
}

// question is the body of a request.
type question struct {
	ID        string              `json:"id"`        // of the socket
	Namespace string              `json:"namespace"` // "/" or another
	Address   string              `json:"address,omitempty"`
	Headers   map[string]string   `json:"headers,omitempty"` // those that the operator named
	Query     map[string][]string `json:"query,omitempty"`
	Auth      json.RawMessage     `json:"auth,omitempty"`    // as the client sent it
	Refresh   bool                `json:"refresh,omitempty"` // it is connected, and has a new token in auth
	Subject   string              `json:"subject,omitempty"` // of the token that was verified, or of who is connected
	Name      string              `json:"name,omitempty"`
}

// answer is the body of a response that lets in.
type answer struct {
	Subject string   `json:"subject"`
	Name    string   `json:"name"`
	Expires moment   `json:"expires"`
	Rooms   []string `json:"rooms"`
}

// refusalBody is the body of one that does not.
type refusalBody struct {
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// moment is a time in RFC 3339, or in seconds since 1970.
type moment struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (m *moment) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if seconds, err := strconv.ParseInt(string(b), 10, 64); err == nil {
		m.Time = time.Unix(seconds, 0)
		return nil
	}
	return m.Time.UnmarshalJSON(b)
}

// newBackend returns nil where there is none.
func newBackend(w *Webhook, c *counters) (*backend, error) {
	if w.URL == "" {
		return nil, nil
	}
	secret := []byte(w.Secret)
	if w.SecretFile != "" {
		b, err := readFile(w.SecretFile)
		if err != nil {
			return nil, fmt.Errorf("auth: %s: %w", w.SecretFile, err)
		}
		if secret = bytes.TrimSpace(b); len(secret) == 0 {
			return nil, fmt.Errorf("auth: %s: there is no secret in it", w.SecretFile)
		}
	}
	return &backend{
		hook: *w, secret: secret, client: newClient(w.Timeout), counters: c,
		gate: &gate{places: make(chan struct{}, w.Concurrency), room: int64(w.Queue), counters: c},
	}, nil
}

func (b *backend) close() { b.client.CloseIdleConnections() }

// opening is the question about a client that connects.
func (b *backend) opening(s *socketio.Socket, h *socketio.Handshake, p pass) *question {
	return &question{
		ID: s.ID(), Namespace: s.Namespace().Name(), Address: h.Address, Headers: b.passedOn(h.Headers), Query: h.Query,
		Auth: json.RawMessage(h.Auth), Subject: p.Subject, Name: p.Name,
	}
}

// renewal is the question about one that is connected; of its request nothing is left.
func (b *backend) renewal(s *socketio.Socket, token socketio.Raw, p pass) *question {
	who := p.Identity
	if who.Subject == "" {
		who = Of(s)
	}
	auth := append(append([]byte(`{"token":`), token...), '}')
	return &question{
		ID: s.ID(), Namespace: s.Namespace().Name(), Auth: auth, Refresh: true, Subject: who.Subject, Name: who.Name,
	}
}

func (b *backend) passedOn(h http.Header) map[string]string {
	all := make(map[string]string, len(b.hook.Headers))
	for _, name := range b.hook.Headers {
		name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
		if values := h[name]; len(values) > 0 {
			all[name] = strings.Join(values, ", ")
		}
	}
	return all
}

// ask returns what the backend says of a client, of whom p is known. Whatever is not a
// clear word lets nobody in.
func (b *backend) ask(ctx context.Context, q *question, p pass) (pass, error) {
	if len(q.Auth) > maxAuth {
		return pass{}, refusedInvalid
	}
	probe, ok := b.breaker.allow()
	if !ok {
		return pass{}, b.unavailable(verdictOpen)
	}
	asking, cancel := context.WithTimeout(ctx, b.hook.Timeout)
	defer cancel()
	if v := b.gate.enter(asking); v != verdictAllowed {
		b.breaker.told(v, probe)
		return pass{}, b.unavailable(v)
	}
	defer b.gate.leave()
	status, body, err := b.post(asking, q)
	v := verdictOf(ctx, status, err)
	if v == verdictAllowed {
		if p, err = merge(p, body); err != nil {
			v = verdictFailed
		}
	}
	b.breaker.told(v, probe)
	return b.settle(v, p, body)
}

// settle counts a verdict and says it.
func (b *backend) settle(v verdict, p pass, body []byte) (pass, error) {
	switch v {
	case verdictAllowed:
		b.counters.verdicts[v].Add(1)
		return p, nil
	case verdictRefused:
		b.counters.verdicts[v].Add(1)
		return pass{}, refusalOf(body)
	}
	return pass{}, b.unavailable(v)
}

func (b *backend) unavailable(v verdict) error {
	b.counters.verdicts[v].Add(1)
	return refusedUnavailable
}

// verdictOf sorts answers. 408, 425 and 429 are about the backend, not about the client.
func verdictOf(ctx context.Context, status int, err error) verdict {
	var late net.Error
	switch {
	case err == nil && status == http.StatusOK:
		return verdictAllowed
	case err == nil && (status == http.StatusRequestTimeout || status == http.StatusTooEarly || status == http.StatusTooManyRequests):
		return verdictFailed
	case err == nil && status >= 400 && status < 500:
		return verdictRefused
	case ctx.Err() != nil:
		return verdictGone
	case errors.As(err, &late) && late.Timeout():
		return verdictTimeout
	}
	return verdictFailed
}

// merge adds what the backend says to what the token says: the backend has the last word,
// but nobody stays longer than the token.
func merge(p pass, body []byte) (pass, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return pass{}, err
	}
	p.Subject, p.Name = orElse(a.Subject, p.Subject), orElse(a.Name, p.Name)
	p.Expires = earlier(p.Expires, a.Expires.UTC())
	if a.Rooms != nil {
		p.rooms = a.Rooms
	}
	if p.Subject == "" { // a guest
		q := p
		q.Subject = "-"
		return p, q.check()
	}
	return p, p.check()
}

func refusalOf(body []byte) error {
	r := &refusal{result: resultRefused, code: "refused"}
	var words refusalBody
	if json.Unmarshal(body, &words) == nil {
		r.message = words.Message
		if string(words.Data) != "null" {
			r.data = words.Data
		}
	}
	r.message = orElse(r.message, "not allowed")
	return r
}

// post sends a question and returns the answer's status and body.
func (b *backend) post(ctx context.Context, q *question) (status int, body []byte, err error) {
	text, err := json.Marshal(q)
	if err != nil {
		return 0, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.hook.URL, bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if len(b.secret) > 0 {
		at := strconv.FormatInt(time.Now().Unix(), 10)
		r.Header.Set(headerTimestamp, at)
		r.Header.Set(headerSignature, signature(b.secret, at, text))
	}
	got, err := b.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = got.Body.Close() }() // was only read
	body, err = io.ReadAll(io.LimitReader(got.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = errors.New("auth: the backend's answer is too long")
	}
	return got.StatusCode, body, err
}

func signature(secret []byte, timestamp string, body []byte) string {
	m := hmac.New(sha256.New, secret)
	_, _ = m.Write([]byte(timestamp + ".")) // a hash does not fail
	_, _ = m.Write(body)
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}
