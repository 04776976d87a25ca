package main

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCommandLinesThatAreWrongSayWhy(t *testing.T) {
	for _, c := range []struct{ args, reason string }{
		{"-only fanfare,nobody", `no peer "nobody"`},
		{"-cells broadcast,nothing", `no scenario "nothing"`},
		{"-rounds -1", "-rounds"},
		{"-members 10,x", `"x" is not a number`},
		{"-backlogs 0", `"0" is not a number`},
		{"-duration -1s", "-duration"},
		{"-server-cpu 1", "never share"},
		{"stray", `"stray"`},
		{"-nonsense", "-nonsense"},
	} {
		_, err := parse(strings.Fields(c.args), io.Discard)
		if err == nil || !strings.HasPrefix(err.Error(), "peers: ") || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want something about %s", c.args, err, c.reason)
		}
	}
}

func TestTheUsualRunHasEveryCell(t *testing.T) {
	o, err := parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range slices.Concat(o.groups...) {
		got = append(got, c.String())
	}
	want := []string{
		"broadcast, 100 connections, 128 B, backlog 1",
		"broadcast, 1000 connections, 128 B, backlog 1",
		"broadcast, 1000 connections, 128 B, backlog 4",
		"broadcast, 1000 connections, 128 B, backlog 16",
		"broadcast, 10000 connections, 128 B, backlog 1",
		"broadcast, 10000 connections, 128 B, backlog 4",
		"broadcast, 10000 connections, 128 B, backlog 16",
		"broadcast, 18000 connections, 128 B, backlog 1",
		"echo, 1000 connections",
		"connect, 5000 connections",
		"idle, 10000 connections",
	}
	if !slices.Equal(got, want) {
		t.Errorf("cells %q, want %q", got, want)
	}
	s := session{groups: o.groups, peers: o.peers, rounds: o.rounds}
	if took := s.estimate(); took > 40*time.Minute || took < 10*time.Minute {
		t.Errorf("the usual run takes about %v", took)
	}
}

func TestFlagsChooseCellsAndPeers(t *testing.T) {
	o, err := parse(strings.Fields("-quick -only node,fanfare-inline -cells broadcast -members 50 -backlogs 1 -payloads 128,1024 -rounds 3"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	cells := slices.Concat(o.groups...)
	if len(cells) != 2 || cells[0].payload != usualPayload || cells[1].payload != 1024 || cells[1].connections != 50 {
		t.Errorf("cells %v", cells)
	}
	if !slices.Equal(names(o.peers), []string{nodeJS, "fanfare-inline"}) || o.rounds != 3 {
		t.Errorf("peers %v, %d rounds", names(o.peers), o.rounds)
	}
	if !o.peers[1].in(broadcast) {
		t.Error("a peer that was asked for by name stays out")
	}
}

func TestAStandInTakesPartInItsScenarioOnly(t *testing.T) {
	o, err := parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	inline := o.peers[len(o.peers)-1]
	if inline.name != "fanfare-inline" || inline.in(broadcast) || !inline.in(echo) {
		t.Errorf("%+v", inline)
	}
}
