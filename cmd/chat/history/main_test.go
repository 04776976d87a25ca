package history_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if store := os.Getenv(writerEnv); store != "" {
		writeUntilKilled(store)
	}
	goleak.VerifyTestMain(m)
}
