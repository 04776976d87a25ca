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

// doors are the ways into a house.
var doors = []door{ownDoor, tlsDoor, mountedDoor, httpsDoor, compressedDoor}

// eachWay runs one scenario for every client and transport through the options' door, and for the newest client through
// all other doors.
func eachWay(t *testing.T, options houseOptions, scenario func(j *journey)) {
	t.Helper()
	driver := clienttest.Start(t)
	everyClient(t, driver, options, scenario)
	for _, d := range fewer(doors) {
		other := options
		if other.door = d; options.door.compressed {
			other.door.compressed = true
		}
		if other.door == options.door || d.compressed && options.door.compressed {
			continue
		}
		everyTransport(t, driver, openHouse(t, other), other.door.String(), clienttest.V48, scenario)
	}
}

// apart is a scenario that runs in several rows at a time, each with a server of its own: for those that mostly wait.
func apart(scenario func(j *journey)) func(j *journey) {
	return func(j *journey) {
		options := j.house.options
		j.Parallel()
		j.house = openHouse(j.T, options)
		scenario(j)
	}
}

// everyClient runs a scenario for every version with one Node process: against one server, and with msgpack against another.
func everyClient(t *testing.T, driver *clienttest.Driver, options houseOptions, scenario func(j *journey)) {
	t.Helper()
	house, versions := openHouse(t, options), clienttest.Versions
	if testing.Short() {
		versions = []string{clienttest.V48, clienttest.V25}
	}
	for _, version := range versions {
		everyTransport(t, driver, house, version, version, scenario)
	}
	options.parser = socketio.Msgpack{}
	everyTransport(t, driver, openHouse(t, options), clienttest.V48+" with msgpack", clienttest.V48, scenario)
}

// everyTransport runs a scenario for one version, with the parser of the house; the rows are named so.
func everyTransport(t *testing.T, driver *clienttest.Driver, house *house, name, version string, scenario func(j *journey)) {
	t.Helper()
	for _, transport := range transports {
		t.Run(name+"/"+transport.name, func(t *testing.T) {
			scenario(&journey{T: t, house: house, driver: driver, way: way{version, transport.names, house.options.parser != nil}})
		})
	}
}
