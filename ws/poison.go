//go:build race

package ws

// poison overwrites carry buffers on their return, so that a test under -race
// which uses a payload too long sees it.
const poison = true
