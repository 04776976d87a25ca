package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// documented is a block of shell commands in a document, and the block behind it: what they print.
type documented struct {
	server           bool // it runs until the end
	commands, prints string
}

var fenced = regexp.MustCompile("(?ms)^```([a-z ]+)\n(.*?)^```$")

func examplesOf(t *testing.T, path string) (all []documented) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		switch kind, block := m[1], m[2]; {
		case strings.HasPrefix(kind, "sh"):
			all = append(all, documented{server: kind == "sh server", commands: block})
		case len(all) == 0 || all[len(all)-1].prints != "":
			t.Fatalf("output that belongs to no commands: %s", block)
		default:
			all[len(all)-1].prints = block
		}
	}
	return all
}

// like reports whether text is what a document says, where … stands for anything in a
// line, and a line of nothing else for lines.
func like(text, want string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "\n…\n", "\n(?:[^\n]*\n)*")
	return regexp.MustCompile("^" + strings.ReplaceAll(pattern, "…", "[^\n]*") + "$").MatchString(text)
}

// Every command of docs/api.md is run as it stands there, but for the port, and prints
// what stands there.
func TestTheExamplesOfTheAPIPrintWhatTheDocumentSays(t *testing.T) {
	notShort(t)
	shell, curl := tool(t, "bash"), tool(t, "curl")
	tool(t, "openssl")
	dir := t.TempDir()
	if err := os.Symlink(program, filepath.Join(dir, "fanfare")); err != nil {
		t.Fatal(err)
	}
	var p *process
	const mark = "=== the end of an example"
	var script strings.Builder
	var rest []documented
	for _, e := range examplesOf(t, "../../docs/api.md") {
		switch {
		case e.server:
			p = serveDocumented(t, e, dir)
		case p == nil:
			run(t, exec.Command(shell, "-euc", e.commands), dir)
		default:
			script.WriteString(e.commands + "echo '" + mark + "'\n")
			rest = append(rest, e)
		}
	}
	if p == nil || len(rest) < 8 {
		t.Fatal("the document has no server, or hardly any example")
	}
	api := strings.TrimSuffix(p.printed(`(?m)^api:\s+(http://\S+)$`), "/")
	c := clienttest.Start(t).Connect(t, clienttest.ClientOptions{URL: p.url, Transports: clienttest.WebSocket})
	c.Answer("ready?", "yes", map[string]any{"load": 0.5})
	join(t, api, filepath.Join(dir, "api.key"), c.ID())

	commands := "shopt -s expand_aliases\n" + strings.ReplaceAll(script.String(), "http://127.0.0.1:3001", api)
	cmd := exec.Command(shell, "-euc", commands)
	cmd.Env = append(os.Environ(), "FANFARE_URL="+api, "PATH="+filepath.Dir(curl)+":"+os.Getenv("PATH"))
	printed := strings.Split(run(t, cmd, dir), mark+"\n")
	for i, e := range rest {
		if e.prints == "" {
			t.Errorf("the document does not say what this prints:\n%s", e.commands)
		}
		if i < len(printed) && !like(printed[i], e.prints) {
			t.Errorf("the commands\n%sprint\n%s, but the document says\n%s", e.commands, printed[i], e.prints)
		}
	}
	if why := c.WaitDisconnect(); why.Reason != "io server disconnect" && why.Reason != "transport close" {
		t.Errorf("%+v", why)
	}
}

// serveDocumented runs the document's server on free ports.
func serveDocumented(t *testing.T, e documented, dir string) *process {
	t.Helper()
	words := strings.Fields(e.commands)
	if words[0] != "./fanfare" {
		t.Fatalf("%q is not how the server is called", e.commands)
	}
	args := []string{"--api=127.0.0.1:0", "--history=memory"}
	for _, w := range words[1:] {
		args = append(args, strings.Replace(w, "=api.key", "="+filepath.Join(dir, "api.key"), 1))
	}
	p := start(t, anywhere(args...))
	p.printed(`(?m)^(api:)`)
	want := strings.NewReplacer("localhost:3000/", "localhost:…/", "127.0.0.1:3001/", "127.0.0.1:…/").Replace(e.prints)
	if !like(p.out.String(), want) {
		t.Errorf("the server prints\n%s, the document says\n%s", &p.out, e.prints)
	}
	return p
}

// join puts the client into the room of the examples.
func join(t *testing.T, api, keyFile, id string) {
	t.Helper()
	key, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	ask(t, "POST", api+"/v1/join", `{"rooms":["`+id+`"],"join":["news"]}`,
		"Content-Type", "application/json", "X-API-Key", strings.TrimSpace(string(key))).want(t, 200, `{"sockets":1}`)
}

// run returns what a command prints.
func run(t *testing.T, cmd *exec.Cmd, dir string) string {
	t.Helper()
	var out, log bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, &out, &log)
	}
	return out.String()
}

// tool returns the path of a program that the test needs.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		clienttest.Unavailable(t, "there is no "+name)
	}
	return path
}
