//go:build race

package redisadapter_test

// raceDetector counts allocations of its own.
const raceDetector = true
