package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
)

// endpoint is one path.
type endpoint struct {
	path, method string
	answer       func(c *call) ([]byte, error)
	takes, gives reflect.Type // structs, for the test that compares them with openapi.yaml
}

// call is one request at an endpoint.
type call struct {
	ctx    context.Context // done after Options.Timeout
	whole  context.Context // for what has a time of its own
	server *Server
	body   []byte     // of a POST; valid until it is answered
	query  url.Values // of a GET
}

// endpoints are the paths there are. The order is that of their numbers in statistics.
var endpoints = []endpoint{
	post("/v1/emit", emit),
	post("/v1/broadcast", broadcast),
	post("/v1/join", join),
	post("/v1/leave", leave),
	post("/v1/disconnect", disconnect),
	post("/v1/messages", publish),
	get("/v1/sockets", sockets),
	get("/v1/rooms", rooms),
	get("/v1/presence", presence),
	get("/v1/history", past),
	get("/v1/info", info),
}

// post is an endpoint that does something. Q is what its body may say, A what it answers.
func post[Q, A any](path string, fn func(c *call, q *Q) (A, error)) endpoint {
	return endpoint{path, http.MethodPost, answerer(fn, func(c *call, q *Q) error { return decodeBody(c.body, q) }), reflect.TypeFor[Q](), reflect.TypeFor[A]()}
}

// get is an endpoint that only reads. Q is what its parameters may say.
func get[Q, A any](path string, fn func(c *call, q *Q) (A, error)) endpoint {
	return endpoint{path, http.MethodGet, answerer(fn, func(c *call, q *Q) error { return decodeQuery(c.query, q) }), reflect.TypeFor[Q](), reflect.TypeFor[A]()}
}

func answerer[Q, A any](fn func(c *call, q *Q) (A, error), decode func(c *call, q *Q) error) func(c *call) ([]byte, error) {
	return func(c *call) ([]byte, error) {
		q := new(Q)
		if err := decode(c, q); err != nil {
			return nil, err
		}
		a, err := fn(c, q)
		if err != nil {
			return nil, err
		}
		return encode(a)
	}
}

// encode writes an answer as JSON, with <, > and & as they are.
func encode(answer any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(answer)
	return b.Bytes(), err
}

// endpointOf returns the number of the endpoint with this path, len(endpoints) for none.
func endpointOf(path string) int {
	for i := range endpoints {
		if endpoints[i].path == path {
			return i
		}
	}
	return len(endpoints)
}

// endpointName is what the endpoint with this number is called in logs and metrics.
func endpointName(number int) string {
	if number == len(endpoints) {
		return "other"
	}
	return endpoints[number].path
}

// methods is the Allow header.
func (e *endpoint) methods() string {
	if e.method == http.MethodGet {
		return "GET, HEAD"
	}
	return e.method
}
