package adminui_test

import (
	"fmt"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/adminui"
)

func ExampleInstrument() {
	io := socketio.New(socketio.Options{CORS: socketio.CORS{Origins: []string{"https://admin.socket.io"}, Credentials: true}})
	_, err := adminui.Instrument(io, adminui.Options{
		Username:     "ops",
		PasswordHash: "$2b$10$heqvAkYMez.Va6Et2uXInOnkCT6/uQj1brkrbyG3LpopDklcq7ZOS", // "changeit"
	})
	fmt.Println(err)

	_, err = adminui.Instrument(io, adminui.Options{})
	fmt.Println(err)
	// Output:
	// <nil>
	// adminui: give Username and PasswordHash, or set NoAuth
}
