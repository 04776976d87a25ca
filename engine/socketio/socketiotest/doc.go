// Package socketiotest tests handlers without a network: a server without port and
// descriptors, and clients that a test steps. It is for Socket.IO what net/http/httptest
// is for HTTP.
//
//	func TestReply(t *testing.T) {
//		io := newChat()                       // the application's *socketio.Server, not listening
//		server := socketiotest.Start(t, io)
//		ada := server.Connect()
//		ada.Emit("chatMessage", "hello")
//		ada.Expect("reply", "hello")
//	}
//
// Everything a client does goes through the server's own code, from the packet's text
// to the handler and back: the parser, middlewares, mailboxes and workers, rooms and
// broadcasts, acknowledgements, heartbeats, the order in which an event loop sends.
// Nothing is faked but the network.
//
// # Waiting
//
// Emit and its like return at once, and handlers run on workers. Expect, Next, EmitAck
// and Disconnected wait for what is to come, for [Server.Patience] at most; then they
// fail the test. No test needs a sleep. [Server.Settle] waits until the server has
// nothing left to do: between two steps of different clients it makes their order
// certain, and after it one can say that something did not happen ([Client.ExpectNothing]).
//
// Methods of Server and Client that take part in a test call its Fatalf, so they belong on the
// test's goroutine.
//
// # Time
//
// All of it works inside of a testing/synctest bubble. There the heartbeat, the deadlines of
// acknowledgements, the expiry of sockets and the sleeps of handlers take no time, and
// time stands still while something is being done:
//
//	synctest.Test(t, func(t *testing.T) {
//		server := socketiotest.Start(t, newChat())
//		ada := server.Connect()
//		ada.Silence()           // her network is gone
//		time.Sleep(time.Minute) // the server has noticed by now
//		...
//	})
//
// Make the socketio.Server inside of the bubble, too, and set Patience to more than what the
// test waits for in fake time.
//
// # What it does not show
//
// There is no transport: no HTTP, so no CORS, cookies, AllowRequest, GenerateID nor
// middlewares of Engine; no polling and no upgrade; no compression, no TLS. Clients take
// what they are sent at once, so none is ever slow. There is one event loop where a
// server on a port has several, and
// the encoding is the default one: a server with Options.Parser is none for this package.
// For all that, listen on 127.0.0.1:0 and connect a client of your own.
package socketiotest
