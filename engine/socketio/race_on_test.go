//go:build race

package socketio_test

// slow is how many times slower the race detector makes everything.
const slow = 5
