package auth

import (
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Claims are what a token says.
type Claims struct {
	Subject string
	Name    string
	Rooms   []string
	Expires time.Time
}

// Mint returns a token signed with HS256 and the first secret of o.
func Mint(o Options, c Claims) (string, error) {
	keys, err := localKeys(&Options{Secret: o.Secret, SecretFile: o.SecretFile})
	if err != nil {
		return "", err
	}
	if len(keys) == 0 {
		return "", errors.New("auth: no secret to sign with")
	}
	claims := jwt.MapClaims{"sub": c.Subject, "exp": c.Expires.Unix()}
	if c.Name != "" {
		claims["name"] = c.Name
	}
	if len(c.Rooms) > 0 {
		claims["rooms"] = c.Rooms
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(keys[0].value)
}
