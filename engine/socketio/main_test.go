package socketio_test

import (
	"testing"

	"go.uber.org/goleak"
)

// IgnoreCurrent: ants and gnet start goroutines of their default pools when they are loaded.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }
