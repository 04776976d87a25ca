package packet_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/fanfare-go/fanfare/engine/packet"
)

// nodesPayloads reads lists of packets, one per line, writes each as a payload with engine.io's parser of revision 3, and
// takes that apart again.
const nodesPayloads = `
const parser = require(process.argv[1]);
const lines = require("fs").readFileSync(0, "utf8").trim().split("\n").map((line) => JSON.parse(line));
for (const { Packets, Bytes } of lines) {
  const packets = Packets.map(({ Type, Binary, Data }) => ({
    type: Type, data: Binary ? Buffer.from(Data, "base64") : Buffer.from(Data, "base64").toString() }));
  parser.encodePayload(packets, Bytes, (payload) => {
    const back = [];
    parser.decodePayload(payload, (p) => { back.push({
      Type: p.type, Binary: Buffer.isBuffer(p.data), Data: Buffer.from(p.data ?? "").toString("base64") }); });
    console.log(JSON.stringify({ Payload: Buffer.from(payload).toString("base64"), Binary: Buffer.isBuffer(payload), Back: back }));
  });
}`

// nodePacket is a packet as it travels to Node and back; its bytes are base64 there.
type nodePacket struct {
	Type   string
	Binary bool
	Data   []byte
}

// TestPayloadsV3AreNodesPayloads compares what is written, byte for byte, and what is read.
func TestPayloadsV3AreNodesPayloads(t *testing.T) {
	parser := nodesParserV3(t)
	type question struct {
		Packets []nodePacket
		Bytes   bool // the client can read a payload in bytes
	}
	var questions []question
	random := rand.New(rand.NewPCG(1, 2))
	var input bytes.Buffer
	for range 500 {
		q := question{Bytes: random.IntN(2) == 0}
		for range 1 + random.IntN(5) {
			q.Packets = append(q.Packets, randomPacket(random))
		}
		questions = append(questions, q)
		if err := json.NewEncoder(&input).Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("node", "-e", nodesPayloads, parser)
	cmd.Stdin, cmd.Stderr = &input, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := json.NewDecoder(bytes.NewReader(out))
	for _, q := range questions {
		var a struct {
			Payload []byte
			Binary  bool
			Back    []nodePacket
		}
		if err := answers.Decode(&a); err != nil {
			t.Fatal(err)
		}
		packets := ours(q.Packets)
		if got := joinV3(packets, a.Binary); !bytes.Equal(got, a.Payload) {
			t.Fatalf("%+v: wrote %q, Node %q", packets, got, a.Payload)
		}
		if got, err := readV3(a.Payload, a.Binary); err != nil || !samePackets(got, packets) || !samePackets(got, ours(a.Back)) {
			t.Fatalf("%q: read %+v, %v, Node %+v", a.Payload, got, err, a.Back)
		}
	}
}

// nodesParserV3 finds engine.io's parser of revision 3; without it the test is skipped, or fails where CI=true.
func nodesParserV3(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../socketio/clienttest/testdata/node/node_modules/engine.io/build/parser-v3")
	if err == nil {
		_, err = os.Stat(path)
	}
	if err == nil {
		_, err = exec.LookPath("node")
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return path
}

func randomPacket(random *rand.Rand) nodePacket {
	if random.IntN(3) == 0 {
		data := make([]byte, random.IntN(300))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		return nodePacket{packet.Message.String(), true, data}
	}
	alphabet := []rune("aä€😀\u0000\u001e\u007f\u0080\u07ff\u0800\u2028\ufffd\uffff𝒳\U0010ffff:0")
	var text []rune
	for range random.IntN(40) {
		text = append(text, alphabet[random.IntN(len(alphabet))])
	}
	return nodePacket{packet.Type(random.IntN(int(packet.Noop) + 1)).String(), false, []byte(string(text))}
}

// ours turns Node's names of types into types.
func ours(packets []nodePacket) (out []packet.Packet) {
	for _, p := range packets {
		for kind := packet.Open; kind <= packet.Noop; kind++ {
			if kind.String() == p.Type {
				out = append(out, packet.Packet{Type: kind, Binary: p.Binary, Data: p.Data})
			}
		}
	}
	return out
}
