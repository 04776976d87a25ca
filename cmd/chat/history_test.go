package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// state is the metric of the state that the history is in.
func state(name string) map[string]float64 {
	m := map[string]float64{
		`fanfare_history_state{state="off"}`:      0,
		`fanfare_history_state{state="healthy"}`:  0,
		`fanfare_history_state{state="degraded"}`: 0,
	}
	m[`fanfare_history_state{state="`+name+`"}`] = 1
	return m
}

func TestAHistoryIsKeptWhereTheMachineKeepsSuchThings(t *testing.T) {
	folder := t.TempDir()
	for want, env := range map[string]string{
		folder + "/state/history.db":                     "STATE_DIRECTORY=" + folder + "/state:/elsewhere",
		folder + "/data/fanfare/history.db":              "XDG_DATA_HOME=" + folder + "/data",
		folder + "/home/.local/share/fanfare/history.db": "HOME=" + folder + "/home",
	} {
		c := anywhere()
		c.env = []string{env}
		p := start(t, c)
		p.counts(state("healthy"))
		p.stop(syscall.SIGTERM)
		if info, err := os.Stat(want); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", env, info, err)
		}
	}
	p := start(t, anywhere())
	p.counts(state("healthy"))
	if log := p.log.String(); !strings.Contains(log, "in memory") || !strings.Contains(log, "--history") {
		t.Errorf("without a home, the log does not say what happens:\n%s", log)
	}
	p = start(t, anywhere("--history=off"))
	p.counts(state("off"))
}

func TestAFileInUseOrADatabaseThatIsDownCostsTheHistoryOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	first, second := start(t, anywhere("--history="+path)), start(t, anywhere("--history="+path))
	second.counts(state("degraded"))
	if log := second.log.String(); !strings.Contains(log, "another process") {
		t.Errorf("the log does not say why:\n%s", log)
	}
	get(t, second.url+"/").want(t, 200, "<title>")
	first.stop(syscall.SIGTERM)
	second.counts(state("healthy"))
	second.stop(syscall.SIGTERM)

	third := start(t, anywhere("--history=postgres://chat:hunter2@127.0.0.1:1/chat"))
	third.counts(state("degraded"))
	get(t, third.url+"/").want(t, 200, "<title>")
	third.stop(syscall.SIGTERM)
	if log := third.log.String(); strings.Contains(log, "hunter2") || !strings.Contains(log, "127.0.0.1:1") {
		t.Errorf("the log says too much, or too little:\n%s", log)
	}
}

func TestAWrongHistorySaysWhatToDo(t *testing.T) {
	for store, advice := range map[string]string{
		"mysql://chat:hunter2@db/chat":         "postgres://",
		"postgres://chat:hunter2@db:port/chat": "postgres://",
		"host=db password=hunter2 dbname=chat": "postgres://",
		"/var/lib/fanfare/":                    "/var/lib/fanfare/history.db",
	} {
		c := anywhere()
		c.env = []string{"FANFARE_HISTORY=" + store}
		code, _, log := fail(t, c)
		requireAdvice(t, code, wrongCommandLine, log, "--history", advice)
		if strings.Contains(log, "hunter2") {
			t.Errorf("the password is in the log:\n%s", log)
		}
	}
	requireUsage(t, anywhere("--history-keep=0"), "--history-keep", "--history=off")
	requireUsage(t, anywhere("--history-rooms=0"), "--history-rooms", "1")
	requireUsage(t, anywhere("--history-queue=-1"), "--history-queue", "1")
	requireUsage(t, anywhere("--history-max-age=-1s"), "--history-max-age", "1s")
}
