package http1_test

import (
	"errors"
	"fmt"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// A request arrives in two reads; its body is decoded and answered.
func Example() {
	reads := []string{
		"POST /socket.io/?EIO=4&sid=abc HTTP/1.1\r\nHost: localhost\r\nContent-Le",
		"ngth: 5\r\n\r\n4hiyaGET / HTTP/1.1\r\n",
	}
	var (
		buf     []byte
		request http1.Request // one per loop
		scanned int
		n       int
		err     error
	)
	for _, read := range reads {
		buf = append(buf, read...)
		n, err = http1.ParseHead(buf, scanned, &request)
		if n > 0 || err != nil {
			break
		}
		scanned = len(buf)
	}
	if refusal := (*http1.Error)(nil); errors.As(err, &refusal) {
		fmt.Println("answer", refusal.Status, "and close")
		return
	}
	sid, _, _ := http1.QueryValue(request.Query, "sid")
	fmt.Printf("%s %s from session %s\n", request.Method, request.Path, sid)

	body := http1.NewBody(&request)
	data, k, done, _ := body.Next(buf[n:])
	fmt.Printf("body %q, ended: %t, next request: %q\n", data, done, buf[n+k:])

	response := http1.Response{Status: 200, ContentType: "text/html", Body: []byte("ok"), Close: !request.KeepAlive}
	fmt.Printf("%q\n", response.AppendTo(nil))
	// Output:
	// POST /socket.io/ from session abc
	// body "4hiya", ended: true, next request: "GET / HTTP/1.1\r\n"
	// "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok"
}
