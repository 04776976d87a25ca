package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
)

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTheKernelsTablesAreRead(t *testing.T) {
	if got := readSizes(file(t, "Slab:  12 kB\nHugePages_Total:   0\n")); !reflect.DeepEqual(got, map[string]int64{"Slab": 12 << 10}) {
		t.Error(got)
	}
	if got := readSockstat(file(t, "sockets: used 15\nTCP: inuse 4 orphan 0 tw 0 alloc 5 mem 6\nUDP: inuse 9 mem 9\n")); got["inuse"] != 4 || got["mem"] != 6 {
		t.Error(got)
	}
	page := int64(os.Getpagesize())
	slabinfo := "slabinfo - version: 2.1\n# name <active_objs> <num_objs>\n" +
		"TCP  118 169 2368 13 8 : tunables 0 0 0 : slabdata 12 13 0\nfilp  1 21 192 21 1 : tunables 0 0 0 : slabdata 1 1 0\n"
	if got := readCaches(file(t, slabinfo)); !reflect.DeepEqual(got, map[string]int64{"TCP": 8 * 13 * page, "filp": page}) {
		t.Error(got)
	}
	if got := readCaches(filepath.Join(t.TempDir(), "none")); len(got) != 0 {
		t.Error("without rights:", got)
	}
}

func TestOnlyCachesThatSocketsUseCount(t *testing.T) {
	for cache, files := range map[string]bool{"sock_inode_cache": false, "TCP": false, "dentry": false, "proc_inode_cache": true, "ext4_inode_cache": true} {
		if ofFiles(cache) != files {
			t.Error(cache)
		}
	}
}

func TestGrowthIsPerConnectionAndSorted(t *testing.T) {
	before := kernelMemory{caches: map[string]int64{"a": 100, "b": 0, "c": 50}}
	after := kernelMemory{caches: map[string]int64{"a": 300, "b": 1000, "c": 50, "d": 5}}
	if got := after.growth(before, 100); !reflect.DeepEqual(got, []cacheGrowth{{"b", 10}, {"a", 2}}) {
		t.Error(got)
	}
}

func TestLatenciesOfTwoProcessesAddUp(t *testing.T) {
	var one, two, both, sum report.Histogram
	for us := range 5000 {
		h := &one
		if us%3 == 0 {
			h = &two
		}
		d := time.Duration(us*us)*time.Microsecond + 123
		h.Add(d, 1)
		both.Add(d, 1)
	}
	addTo(&sum, one.Latency())
	addTo(&sum, two.Latency())
	addTo(&sum, nil)
	if !reflect.DeepEqual(sum.Latency(), both.Latency()) {
		t.Fatal("the sum differs from the whole")
	}
}

func TestSaturatedNamesWhoHadNoTimeLeft(t *testing.T) {
	for want, busy := range map[string][2]float64{"server": {0.95, 0.5}, "client": {0.5, 0.95}, "both": {0.95, 1}, "neither": {0.5, 0.5}} {
		if got := saturated(report.Usage{Busy: busy[0]}, report.Usage{Busy: busy[1]}); got != want {
			t.Error(got, want)
		}
	}
}
