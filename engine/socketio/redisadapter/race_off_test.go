//go:build !race

package redisadapter_test

const raceDetector = false
