package history_test

import (
	"os"
	"testing"

	"github.com/fanfare-go/fanfare/bench/swarm"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if store := os.Getenv(writerEnv); store != "" {
		writeUntilKilled(store)
	}
	swarm.Main()
	goleak.VerifyTestMain(m,
		// The global pool of a dependency begins and never ends with the program.
		goleak.IgnoreTopFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreTopFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
	)
}
