package main_test

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// strangers is a client whose every request is a connection of its own.
var strangers = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}

// answer is a response with its body.
type answer struct {
	*http.Response
	body string
}

// ask makes a request with headers given as name, value, name, value.
func ask(t *testing.T, method, url, body string, header ...string) answer {
	t.Helper()
	a, err := try(method, url, body, header...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func try(method, url, body string, header ...string) (answer, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	got, err := strangers.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = got.Body.Close() }()
	b, err := io.ReadAll(got.Body)
	return answer{got, string(b)}, err
}

func get(t *testing.T, url string, header ...string) answer {
	t.Helper()
	return ask(t, http.MethodGet, url, "", header...)
}

// want fails the test unless the answer has the status and the text in its body.
func (a answer) want(t *testing.T, status int, text string) {
	t.Helper()
	if a.StatusCode != status || !strings.Contains(a.body, text) {
		t.Fatalf("%s: status %d, %.300q; want %d and %q", a.Request.URL, a.StatusCode, a.body, status, text)
	}
}

// givenPorts are those that freePort has returned.
var givenPorts sync.Map

// freePort returns a port, another one each time, below the range from which the system takes the ports of
// outgoing connections (32768 on Linux), so that it stays free between two
// processes although clients try to connect to it all the time.
func freePort(t *testing.T) string {
	t.Helper()
	for port := 20_000 + int(time.Now().UnixNano()/1000%10_000); port < 32_000; port++ {
		ln, err := net.Listen("tcp", ":"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		_ = ln.Close()
		if _, given := givenPorts.LoadOrStore(port, true); !given {
			return strconv.Itoa(port)
		}
	}
	t.Fatal("no free port")
	return ""
}
