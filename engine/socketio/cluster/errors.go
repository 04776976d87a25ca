package cluster

import (
	"context"
	"errors"
	"fmt"
)

// What a message of another server can be refused for.
var (
	// ErrMalformed is wrapped by the errors for a message that is not what its type says.
	ErrMalformed = errors.New("cluster: malformed message")
	// ErrTooLarge is returned for a message longer than MaxMessage, or with more of
	// something than it may have.
	ErrTooLarge = errors.New("cluster: message too large")
)

// What a request can fail for.
var (
	// ErrTooManyRequests is returned where Options.MaxRequests wait for their answers already.
	ErrTooManyRequests = errors.New("cluster: too many requests wait for other servers")
	// ErrClosed is returned once the Adapter is closed.
	ErrClosed = errors.New("cluster: closed")
)

// IncompleteError says that not all of the other servers have answered a request. What
// comes with it is what the others said.
type IncompleteError struct {
	Missing int   // servers that have not answered; 0 where it is not known how many there are
	Err     error // why nobody waits any longer, such as context.DeadlineExceeded
}

// Error says how many, and why.
func (e *IncompleteError) Error() string {
	if e.Missing == 0 {
		return fmt.Sprintf("cluster: other servers were not asked: %v", e.Err)
	}
	return fmt.Sprintf("cluster: %d other servers have not answered: %v", e.Missing, e.Err)
}

// Unwrap returns Err.
func (e *IncompleteError) Unwrap() error { return e.Err }

// waited is why a request waits no longer: what ctx says, which is a deadline for
// errors.Is, too, where it was one.
func waited(ctx context.Context) error {
	cause, err := context.Cause(ctx), ctx.Err()
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", cause, err)
}
