package engine_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain requires that no goroutine is left: servers, clients and handlers all
// end with their tests. gnet's global worker pool, which rests for 10 s and is
// never closed, is not ours.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"),
	)
}
