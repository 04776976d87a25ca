package clienttest_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// way is one row of the matrix: a version of the client and how it connects.
type way struct {
	version    string
	transports []string
	msgpack    bool // in place of JSON
}

// journey is what a scenario is given: a server, a Node process full of clients, and the row it is run for.
type journey struct {
	*testing.T
	house  *house
	driver *clienttest.Driver
	way
}

// options are the row's, for the main namespace of the server.
func (j *journey) options() clienttest.ClientOptions {
	return clienttest.ClientOptions{URL: j.house.url, Version: j.version, Transports: j.transports, Msgpack: j.msgpack}
}

func (j *journey) connect(change ...func(*clienttest.ClientOptions)) *clienttest.Client {
	j.Helper()
	options := j.options()
	for _, f := range change {
		f(&options)
	}
	return j.driver.Connect(j.T, options)
}

// settled connects and, where the row upgrades, waits until that is done.
func (j *journey) settled(change ...func(*clienttest.ClientOptions)) *clienttest.Client {
	j.Helper()
	c := j.connect(change...)
	if len(j.transports) > 1 {
		c.WaitUpgrade()
	}
	if got, want := c.Transport(), j.transports[len(j.transports)-1]; got != want {
		j.Fatalf("transport %s, want %s", got, want)
	}
	return c
}

// observer is a client of its own that the server tells who is gone, and why.
func (j *journey) observer() *clienttest.Client {
	j.Helper()
	o := j.driver.Connect(j.T, clienttest.ClientOptions{URL: j.house.url, Transports: clienttest.WebSocket, Msgpack: j.msgpack})
	o.EmitAck("join", watchers)
	return o
}

var transports = []struct {
	name  string
	names []string
}{
	{"polling", clienttest.Polling},
	{"websocket", clienttest.WebSocket},
	{"upgrade", clienttest.Upgrade},
}

// eachWay runs one scenario for every version and transport, against one server and with one Node process; for every
// transport with msgpack, against another server; and for the newest version against servers that are mounted in net/http.
func eachWay(t *testing.T, options houseOptions, scenario func(j *journey)) {
	t.Helper()
	driver := clienttest.Start(t)
	everyTransport(t, driver, openHouse(t, options), clienttest.Versions, scenario)
	packed := options
	packed.parser = socketio.Msgpack{}
	house := openHouse(t, packed)
	for _, transport := range transports {
		t.Run("msgpack/"+transport.name, func(t *testing.T) {
			scenario(&journey{T: t, house: house, driver: driver, way: way{clienttest.V48, transport.names, true}})
		})
	}
	for _, door := range []door{mountedDoor, httpsDoor} {
		t.Run(string(door), func(t *testing.T) {
			options.door = door
			everyTransport(t, driver, openHouse(t, options), clienttest.Versions[:1], scenario)
		})
	}
}

func everyTransport(t *testing.T, driver *clienttest.Driver, house *house, versions []string, scenario func(j *journey)) {
	t.Helper()
	for _, version := range versions {
		for _, transport := range transports {
			t.Run(version+"/"+transport.name, func(t *testing.T) {
				scenario(&journey{T: t, house: house, driver: driver, way: way{version: version, transports: transport.names}})
			})
		}
	}
}
