package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/fanfare-go/fanfare/bench/report"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// subjectVariable marks the process that is to be a server.
const subjectVariable = "FANFARE_BENCH_SUBJECT"

// subjectTLSVariable has it speak TLS.
const subjectTLSVariable = "FANFARE_BENCH_SUBJECT_TLS"

// subject is a server in a process of its own, for figures that what else a
// benchmark does would blur, such as resident memory.
type subject struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	addr string
}

// weight is what the subject's memory holds.
type weight struct {
	Heap       uint64 // bytes, after a collection
	Stack      uint64 // bytes
	Goroutines int
	Sockets    int
	rss        int64 // bytes, before that collection
	settled    int64 // bytes, after what it freed was given back
}

// subjectMain is the server, in the process that startSubject started; elsewhere it
// does nothing.
func subjectMain() {
	if os.Getenv(subjectVariable) == "" {
		return
	}
	if err := beSubject(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// beSubject serves until its input ends, and answers every line with its weight.
func beSubject() error {
	o := quiet()
	if os.Getenv(subjectTLSVariable) != "" {
		config, err := selfSigned()
		if err != nil {
			return err
		}
		o.TLS = config
	}
	server := socketio.New(o)
	if err := server.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	fmt.Printf("listening %v\n", server.Addr())
	enc := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		runtime.GC()
		debug.FreeOSMemory() // collects once more: finalizers and pools are done with
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		err := enc.Encode(weight{Heap: m.HeapAlloc, Stack: m.StackInuse, Goroutines: runtime.NumGoroutine(), Sockets: server.Stats().Sockets["/"]})
		if err != nil {
			return err
		}
	}
	return nil
}

func startSubject(b testing.TB, env ...string) *subject {
	b.Helper()
	exe, err := os.Executable()
	must(b, err)
	s := &subject{cmd: exec.Command(exe)}
	s.cmd.Env = append(append(os.Environ(), subjectVariable+"=1"), env...)
	s.cmd.Stderr = os.Stderr
	s.in, err = s.cmd.StdinPipe()
	must(b, err)
	out, err := s.cmd.StdoutPipe()
	must(b, err)
	s.out = bufio.NewReader(out)
	must(b, s.cmd.Start())
	b.Cleanup(func() {
		_ = s.in.Close()
		must(b, s.cmd.Wait())
	})
	_, err = fmt.Fscanf(s.out, "listening %s\n", &s.addr)
	must(b, err)
	return s
}

func (s *subject) weigh(b testing.TB) (w weight) {
	b.Helper()
	process := report.Process(s.cmd.Process.Pid)
	var err error
	w.rss, err = process.RSS()
	must(b, err)
	_, err = fmt.Fprintln(s.in)
	must(b, err)
	line, err := s.out.ReadBytes('\n')
	must(b, err)
	must(b, json.Unmarshal(line, &w))
	w.settled, err = process.RSS()
	must(b, err)
	return w
}
