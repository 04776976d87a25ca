package redisadapter

import (
	"slices"
	"strconv"
	"unicode/utf16"
)

// A stream is shared by all namespaces, or there are several and a namespace's name
// says which is its own. Node takes the remainder of a hash that may be negative, and
// writes to streams below zero that none of its servers reads: a namespace whose
// stream that is does not reach them. Here such a stream is read as well.

// javaHash is the hash of a string in Java and in Node's adapter: over its UTF-16 units,
// in 32 bits.
func javaHash(s string) int32 {
	var h int32
	for _, u := range utf16.Encode([]rune(s)) {
		h = 31*h + int32(u)
	}
	return h
}

// streamOf returns the stream that a namespace writes to, of count. strict keeps to
// those that all servers read.
func streamOf(name, nsp string, count int, strict bool) string {
	if count <= 1 {
		return name
	}
	i := int(javaHash(nsp)) % count
	if strict && i < 0 {
		i += count
	}
	return name + "-" + strconv.Itoa(i)
}

// streamsOf returns the streams to read for a namespace: all those that Node's servers
// read, and where they would write.
func streamsOf(name, nsp string, count int) []string {
	if count <= 1 {
		return []string{name}
	}
	all := make([]string, 0, count+1)
	for i := range count {
		all = append(all, name+"-"+strconv.Itoa(i))
	}
	if node := streamOf(name, nsp, count, false); !slices.Contains(all, node) {
		all = append(all, node)
	}
	return all
}
