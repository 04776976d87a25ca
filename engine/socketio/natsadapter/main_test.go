package natsadapter

import (
	"testing"

	"go.uber.org/goleak"
)

// IgnoreCurrent: ants and gnet start goroutines of their default pools when they are loaded.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent(),
		goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server.(*Server).StartRouting"), // see embedded.Start
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}
