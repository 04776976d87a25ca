//go:build !race

package socketio_test

const slow = 1
