package main

import (
	"cmp"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// kernelMemory is what the kernel uses, machine-wide, in bytes.
type kernelMemory struct {
	slab    int64 // sockets, inodes, files, epoll entries, and what else it allocates in objects, but for ofFiles
	tcp     int64 // queued data, in pages, after TCP's own accounts
	sockets int64 // TCP sockets that exist
	caches  map[string]int64
}

func (k kernelMemory) sum() int64 { return k.slab + k.tcp }

func readKernelMemory() kernelMemory {
	tcp := readSockstat("/proc/net/sockstat")
	k := kernelMemory{
		slab:    readSizes("/proc/meminfo")["Slab"],
		tcp:     tcp["mem"] * int64(os.Getpagesize()),
		sockets: tcp["inuse"],
		caches:  readCaches("/proc/slabinfo"),
	}
	maps.DeleteFunc(k.caches, func(name string, size int64) bool {
		if ofFiles(name) {
			k.slab -= size
		}
		return ofFiles(name)
	})
	return k
}

// ofFiles reports that a slab cache belongs to files and /proc alone: it grows with
// whatever else runs on the machine, and no socket has a part in it.
func ofFiles(cache string) bool {
	switch cache {
	case "sock_inode_cache", "lsm_inode_cache":
		return false
	case "buffer_head", "radix_tree_node":
		return true
	}
	return strings.Contains(cache, "inode")
}

// readSockstat reads the pairs of the line "TCP: inuse 1 orphan 0 ...".
func readSockstat(file string) map[string]int64 {
	b, _ := os.ReadFile(file)
	pairs := make(map[string]int64)
	for line := range strings.Lines(string(b)) {
		rest, ok := strings.CutPrefix(line, "TCP:")
		if !ok {
			continue
		}
		f := strings.Fields(rest)
		for i := 1; i < len(f); i += 2 {
			pairs[f[i-1]], _ = strconv.ParseInt(f[i], 10, 64)
		}
	}
	return pairs
}

// readCaches is the memory of each slab cache, its empty places included. Only root
// may read it; without, the sum of them all must do.
func readCaches(file string) map[string]int64 {
	b, _ := os.ReadFile(file)
	caches := make(map[string]int64)
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line) // name active objects size perSlab pagesPerSlab : tunables ... : slabdata active slabs shared
		if len(f) < 15 || f[12] != "slabdata" {
			continue
		}
		pages, err1 := strconv.ParseInt(f[5], 10, 64)
		slabs, err2 := strconv.ParseInt(f[14], 10, 64)
		if err1 == nil && err2 == nil {
			caches[f[0]] = pages * slabs * int64(os.Getpagesize())
		}
	}
	return caches
}

// cacheGrowth is how much a slab cache grew, in bytes per connection.
type cacheGrowth struct {
	Name  string  `json:"name"`
	Bytes float64 `json:"bytes"`
}

// growth lists the caches that grew most since before, largest first.
func (k kernelMemory) growth(before kernelMemory, connections int) []cacheGrowth {
	const most = 10
	var all []cacheGrowth
	for _, name := range slices.Sorted(maps.Keys(k.caches)) {
		if b := float64(k.caches[name]-before.caches[name]) / float64(connections); b >= 1 {
			all = append(all, cacheGrowth{name, b})
		}
	}
	slices.SortStableFunc(all, func(a, b cacheGrowth) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return all[:min(most, len(all))]
}
