package webtransport_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain requires that sessions end with their tests. The pools of gnet and ants are
// not ours.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent(),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}
