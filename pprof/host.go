package pprof

import (
	"net"
	"net/http"
	"strings"
)

// ownHosts answers, on a loopback address, those only who ask for this machine: an address
// or localhost. A page in a browser of this machine could otherwise have a name of its own
// point here, and read what is not meant for it (DNS rebinding).
func ownHosts(a net.Addr, next http.Handler) http.Handler {
	if tcp, ok := a.(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isOwnHost(r.Host) {
			http.Error(w, "421 this address is asked for as localhost, or by its number", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOwnHost reports that no name server was asked for the host of a request.
func isOwnHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	host = strings.Trim(host, "[]")
	return host == "" || strings.EqualFold(host, "localhost") || net.ParseIP(host) != nil
}
