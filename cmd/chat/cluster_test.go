package main_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

// embeddedFleet starts servers with NATS within them, as the README does, and returns when all know each other.
func embeddedFleet(t *testing.T, n int, args ...string) []*process {
	t.Helper()
	seed := "127.0.0.1:" + freePort(t)
	fleet := make([]*process, n)
	for i := range fleet {
		listen := seed
		if i > 0 {
			listen = "127.0.0.1:0"
		}
		fleet[i] = start(t, anywhere(append([]string{"--cluster=embedded", "--cluster-listen=" + listen, "--cluster-seeds=" + seed, "--history=memory"}, args...)...))
	}
	for _, p := range fleet {
		p.waitForPeers(n-1, "fanfare_adapter_peers", "fanfare_forward_peers")
	}
	return fleet
}

// waitForPeers waits until the server knows so many others, by each of these metrics.
func (p *process) waitForPeers(n int, names ...string) {
	p.t.Helper()
	eventually(p.t, func() error {
		all := metrics(p.t, p)
		for _, name := range names {
			if all[name] != float64(n) {
				return fmt.Errorf("%s is %v, want %d", name, all[name], n)
			}
		}
		return nil
	})
}

// acknowledged emits an event and returns what the server answers.
func acknowledged[T any](t *testing.T, c *clienttest.Client, event string, args ...any) T {
	t.Helper()
	return clienttest.Value[T](t, c.EmitAck(event, args...)[0])
}

// waitForCount waits until so many are known to be in a room.
func waitForCount(t *testing.T, c *clienttest.Client, room string, n int) {
	t.Helper()
	eventually(t, func() error {
		if p := acknowledged[conversation.People](t, c, "who", room); p.Count != n || len(p.Names) != n {
			return fmt.Errorf("%d are known to be in %q: %q; want %d", p.Count, room, p.Names, n)
		}
		return nil
	})
}

// fleetOfTheReadme starts the servers of the README's commands, with free ports in place of those there.
func fleetOfTheReadme(t *testing.T) (fleet []*process) {
	t.Helper()
	block := shellBlocks(t, filepath.Join(root, "README.md"))[2]
	replaced := regexp.MustCompile(`\b(3001|3002|3003|6221|6222|6223)\b`)
	ports := map[string]string{}
	block = replaced.ReplaceAllStringFunc(block, func(port string) string {
		if ports[port] == "" {
			ports[port] = freePort(t)
		}
		return ports[port]
	})
	lines := strings.Split(strings.TrimSpace(block), "\n")
	for _, line := range lines[1:4] {
		run, ok := strings.CutSuffix(strings.Replace(line, "./fanfare", "exec "+program, 1), " &")
		if !ok {
			t.Fatalf("the README says %q", line)
		}
		p := &process{t: t, cmd: exec.Command("sh", "-ec", lines[0]+"\n"+run), ended: make(chan struct{})}
		p.cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
		p.run()
		p.url = p.printed(`(?m)^chat:\s+(https?://\S+)/$`)
		fleet = append(fleet, p)
	}
	return fleet
}

func TestThreeServersAreOneChat(t *testing.T) {
	fleet := fleetOfTheReadme(t)
	node := clienttest.Start(t)
	var clients []*clienttest.Client
	for i, p := range fleet {
		c := node.Connect(t, clienttest.ClientOptions{URL: p.url})
		acknowledged[conversation.Person](t, c, "setName", fmt.Sprint("client ", i))
		clients = append(clients, c)
	}
	for _, c := range clients {
		waitForCount(t, c, "", 3)
	}
	for i, c := range clients {
		says := fmt.Sprint("I am at server ", i)
		acknowledged[conversation.Sent](t, c, "chatMessage", says)
		for _, to := range clients {
			if got := clienttest.Value[string](t, to.Wait("reply", 1)[0][0]); got != says {
				t.Errorf("received %q, want %q", got, says)
			}
		}
	}
	acknowledged[conversation.People](t, clients[0], "join", "tea")
	acknowledged[conversation.People](t, clients[2], "join", "tea")
	waitForCount(t, clients[0], "tea", 2)
	acknowledged[conversation.Sent](t, clients[0], "chatMessage", map[string]string{"room": "tea", "text": "for two"})
	if got := clienttest.Value[string](t, clients[2].Wait("reply", 1)[0][0]); got != "for two" {
		t.Errorf("the room reads %q", got)
	}

	// What was said anywhere is in the history of each.
	eventually(t, func() error {
		l := acknowledged[conversation.Lines](t, clients[1], "history", map[string]any{})
		if len(l.Messages) != 3 || l.Messages[2].Text != "I am at server 2" {
			return fmt.Errorf("%+v", l.Messages)
		}
		return nil
	})

	fleet[1].signal(syscall.SIGKILL)
	fleet[1].wait()
	acknowledged[conversation.Sent](t, clients[2], "chatMessage", "two are left")
	if got := clienttest.Value[string](t, clients[0].Wait("reply", 2)[1][0]); got != "two are left" {
		t.Errorf("after the end of one server: %q", got)
	}
	if n := clients[1].Count("reply"); n != 0 {
		t.Errorf("the client at the dead server has read %d messages of a room of others", n)
	}
	get(t, fleet[0].url+"/readyz").want(t, 200, `"status":"ok"`)
	for i, p := range fleet {
		if log := p.log.String(); strings.Contains(log, "level=ERROR") {
			t.Errorf("server %d logs as an error what is usual:\n%s", i, log)
		}
	}
}

// Without sticky sessions the requests of one client are spread over the servers.
func TestAnyServerOfAClusterTakesAnyRequest(t *testing.T) {
	notShort(t)
	fleet := embeddedFleet(t, 2, "--trusted-proxy=127.0.0.1")
	port := freePort(t)
	file := recipe(t, "haproxy-cluster.cfg", "bind :8080", "bind 127.0.0.1:"+port, "maxconn 20000", "maxconn 9000", "maxconn 10000", "maxconn 4000",
		"127.0.0.1:3001", "127.0.0.1:"+fleet[0].port(), "127.0.0.1:3002", "127.0.0.1:"+fleet[1].port())
	check(t, "haproxy", "-c", "-f", file)
	b := &balancer{t: t, url: "http://127.0.0.1:" + port}
	b.run("haproxy", "-db", "-f", file)
	eventually(t, func() error {
		for range 4 {
			if a, err := try("GET", b.url+"/", ""); err != nil || a.StatusCode != 200 {
				return fmt.Errorf("nothing comes through yet: %v", err)
			}
		}
		return nil
	})
	node := clienttest.Start(t)
	for _, transports := range [][]string{clienttest.Polling, clienttest.WebSocket, clienttest.Upgrade} {
		crowd := node.ConnectMany(t, 10, clienttest.ClientOptions{URL: b.url, Transports: transports})
		if len(transports) == 2 {
			crowd.WaitUpgrade()
		}
		for i, ack := range crowd.EmitAck("chatMessage", "by "+strings.Join(transports, " and ")) {
			if clienttest.Value[conversation.Sent](t, ack[0]).ID == "" {
				t.Errorf("client %d: %s", i, ack[0])
			}
		}
		for i, got := range crowd.Wait("reply", 10) {
			if text := clienttest.Value[string](t, got[9][0]); text != "by "+strings.Join(transports, " and ") {
				t.Errorf("client %d reads %q", i, text)
			}
		}
		crowd.Disconnect()
	}
	sum := 0.0
	for _, p := range fleet {
		sum += metrics(t, p)["fanfare_forward_dialed_total"]
	}
	if sum < 4 {
		t.Errorf("%v connections were made to pass requests on: they have all reached their server by themselves", sum)
	}
}

// waitForStored waits until two sockets are stored that are in the room: that happens soon, not at once.
func waitForStored(t *testing.T, r *redistest.Server, room string) {
	t.Helper()
	eventually(t, func() error {
		stored := 0
		for key := range strings.FieldsSeq(r.Command("KEYS", "*:live")) {
			session, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Command("GET", key)))
			if err == nil && strings.Contains(string(session), room) {
				stored++
			}
		}
		if stored != 2 {
			return fmt.Errorf("%d sockets are stored that are in %q", stored, room)
		}
		return nil
	})
}

// A client whose server is killed is recovered by another process, with what was said meanwhile.
func TestAClientOfAKilledServerIsRecoveredByAnother(t *testing.T) {
	r := redistest.Start(t, redistest.Options{})
	args := []string{"--cluster=" + r.URL, "--cluster-redis=streams", "--history=memory"}
	stays := start(t, anywhere(args...))
	port := "--port=" + freePort(t)
	dies := start(t, anywhere(append(args, port)...))
	node := clienttest.Start(t)
	ada := node.Connect(t, clienttest.ClientOptions{URL: dies.url, Reconnect: true})
	bob := node.Connect(t, clienttest.ClientOptions{URL: stays.url})
	acknowledged[conversation.Person](t, ada, "setName", "Ada")
	acknowledged[conversation.People](t, ada, "join", "tea")
	acknowledged[conversation.People](t, bob, "join", "tea")
	id := ada.ID()
	tell := func(text string) {
		acknowledged[conversation.Sent](t, bob, "chatMessage", map[string]string{"room": "tea", "text": text})
	}
	tell("before")
	requireReply(t, ada, "before")
	waitForStored(t, r, "tea")

	dies.signal(syscall.SIGKILL)
	dies.wait()
	ada.WaitDisconnect()
	tell("meanwhile")
	start(t, anywhere(append(args, port)...))
	if back := ada.WaitReconnect(); !back.Recovered || back.SID != id {
		t.Errorf("back as %+v, was %s", back, id)
	}
	tell("after")
	var texts []string
	for _, got := range ada.Wait("reply", 2) {
		texts = append(texts, clienttest.Value[string](t, got[0]))
	}
	if !slices.Equal(texts, []string{"meanwhile", "after"}) {
		t.Errorf("Ada read %q", texts)
	}
	if p := acknowledged[conversation.People](t, ada, "who", "tea"); p.You == nil || p.You.Name != "Ada" {
		t.Errorf("she is %+v now", p.You)
	}
}
