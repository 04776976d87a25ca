package api_test

import (
	"testing"

	"go.uber.org/goleak"
)

// IgnoreCurrent: ants and gnet start goroutines of their default pools when they are loaded. A worker of gnet's default
// pool, which is never closed, stays for 10 s behind each connection that moved from one loop to another.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent(),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}
