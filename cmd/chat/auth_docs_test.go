package main_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

var codeBlock = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

// example is a folder in which the examples of a document are run.
type docExample struct {
	t      *testing.T
	dir    string
	blocks map[string][]string // by language
	url    string              // of the server of this moment
}

func readExample(t *testing.T, document string) *docExample {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	e := &docExample{t: t, dir: t.TempDir(), blocks: map[string][]string{}}
	for _, m := range codeBlock.FindAllStringSubmatch(string(text), -1) {
		e.blocks[m[1]] = append(e.blocks[m[1]], m[2])
	}
	return e
}

// next returns the next block of a language.
func (e *docExample) next(language string) string {
	e.t.Helper()
	if len(e.blocks[language]) == 0 {
		e.t.Fatalf("no block of %s is left", language)
	}
	block := e.blocks[language][0]
	e.blocks[language] = e.blocks[language][1:]
	return block
}

// sh runs a block, and returns what it prints.
func (e *docExample) sh(block string) string {
	e.t.Helper()
	cmd := exec.Command("sh", "-e", "-c", strings.ReplaceAll(block, "http://localhost:3000", e.url))
	cmd.Dir = e.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		e.t.Fatalf("%s\n%s\n%v", block, out, err)
	}
	return string(out)
}

// serve starts the program with the flags of a block, its files those of the folder.
func (e *docExample) serve(block string, more ...string) {
	e.t.Helper()
	var args []string
	for _, arg := range strings.Fields(block)[1:] {
		name, value, _ := strings.Cut(arg, "=")
		if _, err := os.Stat(filepath.Join(e.dir, value)); err == nil && value != "" {
			arg = name + "=" + filepath.Join(e.dir, value)
		}
		args = append(args, arg)
	}
	e.url = start(e.t, anywhere(append(args, more...)...)).url
}

// requireTools skips the test where one of these is missing, and fails it in CI.
func requireTools(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed", name)
			}
			t.Skipf("%s is not installed", name)
		}
	}
}

func TestTheExamplesOfTheDocument(t *testing.T) {
	notShort(t)
	requireTools(t, "openssl", "curl", "python3", "node")
	driver := clienttest.Start(t)
	e := readExample(t, "../../docs/auth.md")
	e.sh(e.next("sh"))
	e.serve(e.next("server"), "--auth-leeway=0s")
	connect := e.next("sh")
	lines := strings.Split(strings.TrimSpace(e.sh(connect)), "\n")
	if len(lines) != 2 || lines[0] != `44{"message":"token required","data":{"code":"token_required"}}` || !strings.HasPrefix(lines[1], `40{"sid":"`) {
		t.Errorf("curl is answered %q", lines)
	}
	e.runClient(e.next("js"))

	e.sh(e.next("sh"))
	e.serve(e.next("server"))
	if got := e.sh(connect); !strings.Contains(got, `40{"sid":"`) {
		t.Errorf("with a key pair: %q", got)
	}

	if err := os.WriteFile(filepath.Join(e.dir, "shared"), []byte("a secret that both know\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	port := e.backend(e.next("python"))
	e.serve(strings.ReplaceAll(e.next("server"), ":8000", ":"+port))
	driver.Connect(t, clienttest.ClientOptions{URL: e.url, Auth: map[string]string{"user": "ann"}})
	_, refusal := driver.TryConnect(t, clienttest.ClientOptions{URL: e.url, Auth: map[string]string{"user": "bob"}})
	if refusal == nil || refusal.Message != "not on the list" {
		t.Errorf("%v", refusal)
	}
	for language, left := range e.blocks {
		if language != "json" && len(left) > 0 {
			t.Errorf("blocks of %s that nobody runs: %q", language, left)
		}
	}
}

// runClient runs the client of the document with tokens that expire soon, until it was
// refreshed and, with a bad one, refused.
func (e *docExample) runClient(block string) {
	e.t.Helper()
	packages, err := filepath.Abs("../../engine/socketio/clienttest/testdata/node/node_modules")
	if err != nil {
		e.t.Fatal(err)
	}
	const tokens = `
const { execFileSync } = require("node:child_process");
let tokens = 0;
const newToken = async () => ++tokens < 3
  ? execFileSync("chat", ["token", "--auth-secret-file=secret", "--subject=ann", "--ttl=4s"], { encoding: "utf8" }).trim()
  : "none";
`
	block = strings.Replace(block, `"socket.io-client"`, `"socket.io-client-4.8"`, 1) // as clienttest calls it
	cmd := exec.Command("node", "-e", tokens+block)
	cmd.Dir = e.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"), "NODE_PATH="+packages, "CHAT_URL="+e.url)
	// Connected, refreshed in time; the third token is none, so the next refresh fails, the time is over and it is refused.
	e.printed(cmd, "connected", "refreshed", "invalid token", "refused: invalid token")
}

// printed starts a program, wants these lines of it in their order, and ends it.
func (e *docExample) printed(cmd *exec.Cmd, lines ...string) {
	e.t.Helper()
	out := e.begin(cmd)
	for _, want := range lines {
		got, err := out.ReadString('\n')
		if strings.TrimSpace(got) != want {
			e.t.Fatalf("it prints %q, want %q (%v)", got, want, err)
		}
	}
}

// begin starts a program that lives as long as the test.
func (e *docExample) begin(cmd *exec.Cmd) *bufio.Reader {
	e.t.Helper()
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		e.t.Fatal(err)
	}
	cmd.Stderr = e.t.Output()
	if err := cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_, _ = io.Copy(io.Discard, pipe)
		_ = cmd.Wait()
	})
	return bufio.NewReader(pipe)
}

// backend runs the document's backend on a free port, which it returns.
func (e *docExample) backend(block string) string {
	e.t.Helper()
	cmd := exec.Command("python3", "-c", block)
	cmd.Dir = e.dir
	cmd.Env = append(os.Environ(), "PORT=0")
	port, err := e.begin(cmd).ReadString('\n')
	if err != nil {
		e.t.Fatal(err)
	}
	return strings.TrimSpace(port)
}
