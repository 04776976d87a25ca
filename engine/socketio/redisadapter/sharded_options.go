package redisadapter

// Subscriptions is which rooms have a channel of their own in Mode Sharded, so that
// what is sent to them reaches only servers where somebody is in them. All servers of a
// cluster have the same one: those without channels of rooms never hear what others
// send on them. Node: subscriptionMode.
type Subscriptions uint8

// The ways to subscribe.
const (
	// Dynamic is for rooms other than sockets' ids. A room is taken for such an id where
	// its name has 20 bytes; it works, without a channel of its own.
	Dynamic Subscriptions = iota
	// DynamicPrivate is for all rooms, each socket's own included.
	DynamicPrivate
	// Static is for none.
	Static
)

// ShardedOptions are those of Mode Sharded. The zero value of each field means its
// default, which is Node's.
type ShardedOptions struct {
	// Subscriptions is the same on all servers; default Dynamic.
	Subscriptions Subscriptions
}
