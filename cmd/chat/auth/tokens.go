package auth

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/golang-jwt/jwt/v5"
)

const (
	maxToken    = 16 << 10 // bytes: what a request head may have
	maxSubject  = 256      // bytes
	maxName     = 256      // bytes
	maxRooms    = 64       // that a token or the backend may have a client join
	maxRoomName = 128      // bytes
)

// tokens verifies tokens. Immutable, but for the key set from a URL.
type tokens struct {
	local   keyring
	remote  *keySet // nil where there is no URL
	parser  *jwt.Parser
	subject string // the claim
	leeway  time.Duration
}

// newTokens reads the keys; nil where there are none to read.
func newTokens(o *Options, c *counters, first bool) (*tokens, error) {
	if !o.hasKeys() {
		return nil, nil
	}
	local, err := localKeys(o)
	if err != nil {
		return nil, err
	}
	t := &tokens{local: local, subject: o.SubjectClaim, leeway: o.Leeway}
	if isURL(o.JWKS) {
		t.remote, err = newKeySet(o, c)
		if err != nil && !first { // there are others to go on with
			t.close()
			return nil, err
		}
	}
	t.parser = jwt.NewParser(parserOptions(o, t.methods())...)
	return t, nil
}

func parserOptions(o *Options, methods []string) []jwt.ParserOption {
	options := []jwt.ParserOption{
		jwt.WithValidMethods(methods), jwt.WithLeeway(o.Leeway), jwt.WithJSONNumber(), jwt.WithStrictDecoding(),
	}
	if !o.AllowForever {
		options = append(options, jwt.WithExpirationRequired())
	}
	if o.Issuer != "" {
		options = append(options, jwt.WithIssuer(o.Issuer))
	}
	if len(o.Audience) > 0 {
		options = append(options, jwt.WithAudience(o.Audience...))
	}
	return options
}

// methods are the algorithms for which there are keys, or may come.
func (t *tokens) methods() (all []string) {
	for i := range t.local {
		all = append(all, t.local[i].algorithms...)
	}
	if t.remote != nil {
		all = append(append(append(all, algorithmsRSA...), algorithmsEd...), "ES256", "ES384", "ES512")
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (t *tokens) close() {
	if t.remote != nil {
		t.remote.close()
	}
}

// inventory returns how many keys there are, and when those from a URL came.
func (t *tokens) inventory() (keys int, at time.Time) {
	keys = len(t.local)
	if t.remote != nil {
		keys += len(t.remote.ring())
		if ns := t.remote.fetchedAt.Load(); ns != 0 {
			at = time.Unix(0, ns)
		}
	}
	return keys, at
}

// pass is what a client was let in with.
type pass struct {
	Identity
	rooms []string // to join at once
}

// verify returns whose token it is. It may wait for the key set.
func (t *tokens) verify(ctx context.Context, token string) (pass, error) {
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") { // base64 would overlook these
		return pass{}, refusedInvalid
	}
	p, id, err := t.try(token)
	if t.remote == nil || !errors.Is(err, errUnverified) || t.remote.has(id) {
		return p, refused(err)
	}
	if t.remote.renew(ctx) {
		p, _, err = t.try(token)
	}
	if err != nil && t.remote.ring() == nil {
		return pass{}, refusedUnavailable
	}
	return p, refused(err)
}

// has reports that the set has a key of this name; tokens without one get what there is.
func (s *keySet) has(id string) bool {
	ring := s.ring()
	return ring != nil && (id == "" || slices.ContainsFunc(ring, func(k key) bool { return k.id == id }))
}

// errUnverified: there is no key that has signed the token.
var errUnverified = errors.New("auth: no key verifies the token")

// try verifies with the keys there are. id is the name of the key that the token asks for.
func (t *tokens) try(token string) (p pass, id string, err error) {
	claims := jwt.MapClaims{}
	_, err = t.parser.ParseWithClaims(token, claims, func(unverified *jwt.Token) (any, error) {
		name, given := unverified.Header["kid"]
		var text bool
		if id, text = name.(string); given && !text {
			return nil, jwt.ErrTokenMalformed
		}
		return t.candidates(unverified.Method.Alg(), id)
	})
	if errors.Is(err, jwt.ErrTokenSignatureInvalid) {
		return pass{}, id, errUnverified
	}
	if err == nil {
		p, err = t.read(claims)
	}
	return p, id, err
}

func (t *tokens) candidates(algorithm, id string) (any, error) {
	found := t.local.find(algorithm, id)
	if t.remote != nil {
		found = append(found, t.remote.ring().find(algorithm, id)...)
	}
	if len(found) == 0 {
		return nil, errUnverified
	}
	return jwt.VerificationKeySet{Keys: found}, nil
}

// refused is what a client is told of an error.
func refused(err error) error {
	var r *refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r):
		return r
	case errors.Is(err, jwt.ErrTokenExpired):
		return refusedExpired
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return refusedEarly
	}
	return refusedInvalid
}

// read takes from verified claims what we want to know.
func (t *tokens) read(claims jwt.MapClaims) (p pass, err error) {
	p.Subject = subjectOf(claims[t.subject])
	p.Name = printable(firstText(claims, "name", "preferred_username"))
	if p.rooms, err = roomsOf(claims["rooms"]); err != nil {
		return pass{}, err
	}
	end, err := claims.GetExpirationTime()
	if err != nil {
		return pass{}, refusedInvalid
	}
	if end != nil {
		p.Expires = end.Add(t.leeway).UTC()
	}
	return p, p.check()
}

// check bounds what everybody who is told of the client has to carry.
func (p *pass) check() error {
	if p.Subject == "" || len(p.Subject) > maxSubject || len(p.Name) > maxName || len(p.rooms) > maxRooms {
		return refusedInvalid
	}
	if slices.ContainsFunc(p.rooms, func(r string) bool { return r == "" || len(r) > maxRoomName }) {
		return refusedInvalid
	}
	return nil
}

// subjectOf takes a text, or a number such as a user's in a database.
func subjectOf(claim any) string {
	switch c := claim.(type) {
	case string:
		return c
	case json.Number:
		return c.String()
	}
	return ""
}

func firstText(claims jwt.MapClaims, names ...string) string {
	for _, name := range names {
		if s, ok := claims[name].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

func roomsOf(claim any) (rooms []string, err error) {
	if claim == nil {
		return nil, nil
	}
	list, ok := claim.([]any)
	if !ok {
		return nil, refusedInvalid
	}
	for _, v := range list {
		room, ok := v.(string)
		if !ok {
			return nil, refusedInvalid
		}
		rooms = append(rooms, room)
	}
	return rooms, nil
}

// printable is a name without what would make it look like another, or move the text
// around it: control and formatting characters, such as those that turn the direction.
func printable(name string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, name))
}
