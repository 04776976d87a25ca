package engine

import (
	"net/http"
	"time"
)

// Cookie is the cookie that a polling handshake sets, with the session's id as its value,
// for balancers that send a client to the same server again. The zero value is Node's
// cookie: true. The engine itself does not read it.
type Cookie struct {
	// Name is the cookie's; default "io". Node: cookie.name.
	Name string
	// Path it is sent for; default "/". Node: cookie.path.
	Path string
	// Domain it is sent to; default the host alone. Node: cookie.domain.
	Domain string
	// MaxAge is how long it is kept; default as long as the browser runs. Node: cookie.maxAge.
	MaxAge time.Duration
	// Script lets scripts of the page read it. Node: cookie.httpOnly: false.
	Script bool
	// Secure has it sent over TLS only. Node: cookie.secure.
	Secure bool
	// Partitioned keeps one per embedding site. Node: cookie.partitioned.
	Partitioned bool
	// SameSite says whether other sites' requests carry it; default Lax. Node: cookie.sameSite.
	SameSite http.SameSite
}

// of is the value of Set-Cookie for a session.
func (k *Cookie) of(sid string) string {
	return (&http.Cookie{
		Name: orElse(k.Name, "io"), Value: sid, Path: orElse(k.Path, "/"), Domain: k.Domain,
		MaxAge: int(k.MaxAge / time.Second), HttpOnly: !k.Script, Secure: k.Secure, Partitioned: k.Partitioned,
		SameSite: orElse(k.SameSite, http.SameSiteLaxMode),
	}).String()
}
