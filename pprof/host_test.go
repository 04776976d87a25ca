package pprof

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestNamesOfOthersAreNotAnsweredOnLoopback(t *testing.T) {
	fine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	loopback := ownHosts(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 6060}, fine)
	network := ownHosts(&net.TCPAddr{IP: net.IPv4zero, Port: 6060}, fine)
	for host, want := range map[string]int{
		"localhost:6060": 204, "LOCALHOST": 204, "127.0.0.1:6060": 204, "[::1]:6060": 204, "[::1]": 204, "": 204,
		"evil.example:6060": 421, "evil.example": 421, "localhost.evil.example:6060": 421, "127.0.0.1.evil.example": 421,
	} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Host = host
		w, all := httptest.NewRecorder(), httptest.NewRecorder()
		loopback.ServeHTTP(w, r)
		network.ServeHTTP(all, r)
		if w.Code != want || all.Code != 204 {
			t.Errorf("%q: %d on loopback, want %d; %d elsewhere", host, w.Code, want, all.Code)
		}
	}
}
