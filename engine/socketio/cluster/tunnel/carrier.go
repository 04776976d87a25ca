package tunnel

// Everybody is what Carrier.Send takes in place of a tag.
const Everybody = ""

// Carrier brings messages of one server to another, by its tag, over a broker. Its methods
// are safe for concurrent use. Messages have up to 64 KiB.
type Carrier interface {
	// Join has the messages for that tag, and those for Everybody, go to e from now on, until
	// leave is called, which returns when none is on its way to e any more. It is called once
	// for each tag.
	Join(tag string, e Endpoint) (leave func(), err error)
	// Send sends b to the server of that tag, or to Everybody, who may include the sender;
	// what one server sends to another arrives in the order of the calls. It neither blocks
	// nor calls the Endpoint. b is the Carrier's from then on. An error says that it was not
	// sent; without one it may be lost all the same.
	Send(to string, b []byte) error
}

// Endpoint is what a Carrier brings messages to: a Tunnel. Its methods are safe for
// concurrent use, and do not block.
type Endpoint interface {
	// Receive takes a message, which it does not keep. Calls for messages of one sender must
	// come in their order.
	Receive(b []byte)
	// Gone says that nobody has that tag any more, as far as the broker knows. A Carrier
	// that cannot tell need not call it.
	Gone(tag string)
}
