package redisadapter

import "errors"

// openStreams makes a Fleet of Mode Streams.
func openStreams(*Fleet) (mode, error) {
	return nil, errors.New("redisadapter: Mode Streams is not there yet")
}
