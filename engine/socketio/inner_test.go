package socketio_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Arguments can be carried elsewhere as text and attachments, and are the same there.
func TestArgsSurviveTheirEncoding(t *testing.T) {
	t.Parallel()
	type file struct {
		Name string
		Data []byte
	}
	args, err := socketio.EncodeArgs("text", 7, file{"a", []byte{1, 2}}, []byte{3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := socketio.ParseArgs([]byte(args.String()), args.Attachments())
	if err != nil {
		t.Fatal(err)
	}
	var (
		text string
		n    int
		f    file
		b    []byte
	)
	if err := again.Decode(&text, &n, &f, &b); err != nil || text != "text" || n != 7 || f.Name != "a" || !slices.Equal(f.Data, []byte{1, 2}) || !slices.Equal(b, []byte{3}) || again.Len() != 5 {
		t.Errorf("%q %d %v %v of %d, %v", text, n, f, b, again.Len(), err)
	}
	if _, err := socketio.EncodeArgs(make(chan int)); err == nil {
		t.Error("encoded a channel")
	}
	for _, bad := range []string{"", "1", "[", "[1]x", `[{"_placeholder":true,"num":1}]`} {
		if got, err := socketio.ParseArgs([]byte(bad), [][]byte{{1}}); err == nil {
			t.Errorf("%q is %v", bad, got)
		}
	}
}

func FuzzParseArgs(f *testing.F) {
	f.Fuzz(func(t *testing.T, array, data []byte, attachments int) {
		all := make([][]byte, max(0, min(attachments, 20)))
		for i := range all {
			all[i] = data
		}
		args, err := socketio.ParseArgs(array, all)
		if err != nil {
			return
		}
		again, err := socketio.ParseArgs([]byte(args.String()), args.Attachments())
		if err != nil || again.String() != args.String() || again.Len() != args.Len() {
			t.Errorf("%q is %v, and that is %v, %v", array, args, again, err)
		}
		_ = args.Decode(new(any), new([]byte))
	})
}

func TestSettleInnerIsForServersWithoutANetwork(t *testing.T) {
	t.Parallel()
	server := socketio.New(quiet(socketio.Options{}))
	if err := server.SettleInner(context.Background()); !errors.Is(err, socketio.ErrServerClosed) {
		t.Errorf("before the start: %v", err)
	}
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Shutdown(context.Background()) }()
	if err := server.SettleInner(context.Background()); !errors.Is(err, socketio.ErrServerClosed) {
		t.Errorf("with a port: %v", err)
	}
}
