package undertest

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
)

// The address is a flag of every server.
var addr = flag.String("addr", "127.0.0.1:0", "`host:port` to listen on; port 0 takes a free one")

// Address parses the flags, those of the program too, and returns the address to
// listen on.
func Address() string {
	flag.Parse()
	if flag.NArg() > 0 {
		Fail(fmt.Errorf("unexpected argument %q", flag.Arg(0)))
	}
	return *addr
}

// Listen parses the flags and listens.
func Listen() *net.TCPListener {
	l, err := net.Listen("tcp", Address())
	if err != nil {
		Fail(err)
	}
	return l.(*net.TCPListener)
}

// Announce says on standard output that the server accepts connections.
func Announce(at net.Addr) { fmt.Println("listening", at) }

// Wait announces the server and returns when its standard input ends. SIGTERM, whose
// default is left in place, ends it too.
func Wait(at net.Addr) {
	Announce(at)
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		Fail(err)
	}
}

// Fail ends the program with one line of reason.
func Fail(err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
	os.Exit(1)
}
