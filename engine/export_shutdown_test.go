package engine

import (
	"context"
	"time"
)

// ShutdownWithin is Shutdown with less patience for polling clients that are between two polls.
func (s *Server) ShutdownWithin(ctx context.Context, grace time.Duration) error {
	return s.shutdown(ctx, grace)
}
