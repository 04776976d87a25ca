package history

import "net/url"

// Where returns the store's name as it may be printed: without a password.
func (o *Options) Where() string {
	u, err := url.Parse(o.Store)
	if err != nil || u.User == nil {
		return o.Store
	}
	return u.Redacted()
}
