package cluster_test

import (
	"testing"

	"go.uber.org/goleak"
)

// ants and gnet start goroutines of their default pools when they are loaded.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent(),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}
