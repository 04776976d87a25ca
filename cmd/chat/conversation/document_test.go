package conversation_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
)

// The contract is written twice: here in Go, and in TypeScript for those who write front ends.
func TestTheDocumentIsTheContract(t *testing.T) {
	text, err := os.ReadFile("../../../docs/chat.md")
	if err != nil {
		t.Fatal(err)
	}
	declared := make(map[string]string)
	for _, found := range regexp.MustCompile(`(?s)interface (\w+) \{(.*?)\n?\}\n`).FindAllStringSubmatch(string(text), -1) {
		declared[found[1]] = found[2]
	}
	for name, want := range map[string][]string{
		"ClientToServer": {
			string(conversation.ChatMessage), string(conversation.Join), string(conversation.Leave), string(conversation.SetName),
			string(conversation.StartTyping), string(conversation.Who), string(conversation.History),
		},
		"ServerToClient": {string(conversation.Reply), string(conversation.SomebodyTypes), string(conversation.Presence)},
		"Meta":           {"id", "at", "room?", "from?", "user?", "name?"},
		"Refusal":        fields[conversation.Refusal](false),
		"Sent":           fields[conversation.Sent](false),
		"Left":           fields[conversation.Left](false),
		"Person":         fields[conversation.Person](false),
		"People":         fields[conversation.People](false),
		"Typing":         fields[conversation.Typing](false),
		"Page":           fields[conversation.Page](true),
		"Lines":          fields[conversation.Lines](false),
		"Message":        fields[history.Message](false),
	} {
		got := namesOf(declared[name])
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: docs/chat.md has %q, Go has %q", name, got, want)
		}
	}
}

// namesOf returns the members of a TypeScript interface, with the ? of those that may be missing.
func namesOf(body string) (names []string) {
	if !strings.Contains(body, "\n") {
		for _, found := range regexp.MustCompile(`(\w+\??): `).FindAllStringSubmatch(body, -1) {
			names = append(names, found[1])
		}
		return names
	}
	for _, found := range regexp.MustCompile(`(?m)^  (\w+)\(`).FindAllStringSubmatch(body, -1) {
		names = append(names, found[1])
	}
	return names
}

// fields returns the members of T in JSON. Of what clients send, each may be missing.
func fields[T any](request bool) (names []string) {
	for i := range reflect.TypeFor[T]().NumField() {
		name, option, _ := strings.Cut(reflect.TypeFor[T]().Field(i).Tag.Get("json"), ",")
		if option == "omitempty" || request {
			name += "?"
		}
		names = append(names, name)
	}
	return names
}
