package clienttest_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// fromNode is the folder of the programs that docs/from-node.md shows.
var fromNode = filepath.Join("..", "..", "..", "docs", "from-node")

// learned is what the client has to say, of either server.
const learned = `["refused","not authorised"]
["welcome",["ann",false]]
["welcome",["bob",false]]
["who",["ann","bob"]]
["reply",[{"from":"ann","text":"hello"}]]
["reply",[{"from":"ann","text":"hello"}]]
["quiz",["6 x 7? 42"]]
["typing",["bob"]]
["left",["bob","transport close"]]
["missed",[{"from":"ann","text":"are you there?"}],true]
["who",["ann","bob"]]
["left",["bob","client namespace disconnect"]]
`

// TestFromNode runs the server of the document, in Node and in Go, against one client.
func TestFromNode(t *testing.T) {
	clienttest.Start(t) // skips where there is no Node
	program := filepath.Join(t.TempDir(), "from-node")
	if out, err := exec.Command("go", "build", "-o", program, "./"+fromNode).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for name, server := range map[string][]string{"node": {"node", filepath.Join(fromNode, "server.js")}, "go": {program}} {
		t.Run(name, func(t *testing.T) {
			url := launch(t, server)
			got, err := scripted(t, "node", filepath.Join(fromNode, "client.js"), url)
			if err != nil || got != learned {
				t.Errorf("%v, got\n%swant\n%s", err, got, learned)
			}
		})
	}
}

// TestFromNodeShowsWhatIsRun compares the document with the programs.
func TestFromNodeShowsWhatIsRun(t *testing.T) {
	doc, err := os.ReadFile(fromNode + ".md")
	if err != nil {
		t.Fatal(err)
	}
	for name, language := range map[string]string{"server.js": "js", "main.go": "go"} {
		source, err := os.ReadFile(filepath.Join(fromNode, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(doc, fmt.Appendf(nil, "```%s\n%s```\n", language, source)) {
			t.Errorf("from-node.md does not show %s as it is", name)
		}
	}
}

// launch runs a server on a free port until the test ends, and returns its URL once it answers.
func launch(t *testing.T, command []string) (url string) {
	t.Helper()
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(environment(t), "PORT="+port)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	for deadline := time.Now().Add(time.Minute); ; {
		nc, err := net.Dial("tcp", address)
		if err == nil {
			_ = nc.Close()
			return "http://" + address
		}
		select {
		case <-ended:
			t.Fatalf("%s has ended:\n%s", command[0], out.String())
		case <-time.After(10 * time.Millisecond): // until it listens
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen: %v", command[0], err)
		}
	}
}

// freeAddress is one that nobody had a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// scripted runs a program to its end and returns what it printed.
func scripted(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = environment(t)
	var out, faults bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &faults
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(faults.String()))
	}
	return out.String(), err
}

// environment lets Node find the packages.
func environment(t *testing.T) []string {
	t.Helper()
	packages, err := filepath.Abs(filepath.Join("testdata", "node", "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(), "NODE_PATH="+packages)
}
