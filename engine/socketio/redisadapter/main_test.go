package redisadapter_test

import (
	"testing"

	"go.uber.org/goleak"
)

// ants and gnet start goroutines of their default pools when they are loaded; a client of
// rueidis that was closed may sleep up to a second before it looks at a cluster again.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent(),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"),
		goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"))
}
