package auth_test

import (
	"testing"

	"go.uber.org/goleak"
)

// ants and gnet start goroutines of their default pools when they are loaded, and workers
// of gnet's stay for a while.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent(),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}
