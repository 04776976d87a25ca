package redisadapter

import "errors"

// openSharded makes a Fleet of Mode Sharded.
func openSharded(*Fleet) (mode, error) {
	return nil, errors.New("redisadapter: Mode Sharded is not there yet")
}
