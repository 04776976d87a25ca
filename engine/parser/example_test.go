package parser_test

import (
	"fmt"

	"github.com/fanfare-go/fanfare/engine/parser"
)

func ExampleDecode() {
	p, err := parser.Decode([]byte(`2/admin,12["chatMessage","hi",{"room":"lobby"}]`), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	name, rest, _ := parser.EventName(p.Data)
	fmt.Printf("%s to %s, answer under %d: %s\n", p.Type, p.Namespace, p.ID, name)
	args := parser.NewArgList(rest)
	for arg, ok := args.Next(); ok; arg, ok = args.Next() {
		fmt.Printf("%s\n", arg)
	}
	// Output:
	// EVENT to /admin, answer under 12: chatMessage
	// "hi"
	// {"room":"lobby"}
}

func ExampleAppendEvent() {
	array := parser.AppendString([]byte(`[`), "photo")
	array = append(array, ',')
	array = parser.AppendPlaceholder(array, 0)
	array = append(array, ']')
	fmt.Printf("%s\n", parser.AppendEvent(nil, "/", 0, false, 1, array))
	// Output: 51-["photo",{"_placeholder":true,"num":0}]
}

func ExampleBinary() {
	p, _ := parser.Decode([]byte(`51-["photo",{"_placeholder":true,"num":0}]`), nil)
	b := parser.NewBinary(p)
	complete, _ := b.Add([]byte("pixels"))
	_, attachments := b.Packet()
	fmt.Printf("%v %s\n", complete, attachments)
	// Output: true [pixels]
}
