package interop_test

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain requires that servers and connections end with their tests. gnet's global worker pool, which is never closed,
// is not ours. Fleets mostly wait for each other, so more of them run at a time than there are processors.
func TestMain(m *testing.M) {
	if settings := os.Getenv(childVariable); settings != "" {
		os.Exit(child(settings))
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"),
	)
}
