package packet_test

import (
	"fmt"

	"github.com/fanfare-go/fanfare/engine/packet"
)

func ExamplePayload() {
	p := packet.NewPayload([]byte("42[\"hello\"]\x1ebaGk=\x1e3"))
	for {
		pkt, ok, err := p.Next()
		if !ok {
			fmt.Println("end:", err)
			return
		}
		fmt.Printf("%s %q binary=%v\n", pkt.Type, pkt.Data, pkt.Binary)
	}
	// Output:
	// message "2[\"hello\"]" binary=false
	// message "hi" binary=true
	// pong "" binary=false
	// end: <nil>
}
