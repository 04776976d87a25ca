package redisadapter

import (
	"slices"
	"sync"
)

// shardChannels shares channels among those who want them: a room may be called as a
// server's own channel is, and a namespace as another one and a room in it together.
// Each is subscribed to as long as somebody wants it. Safe for concurrent use.
type shardChannels struct {
	subscriber *subscriber

	mu    sync.RWMutex
	users map[string][]*shardedLink // of each channel, as often as they want it; guarded by mu
}

func newShardChannels(s *subscriber) *shardChannels {
	return &shardChannels{subscriber: s, users: make(map[string][]*shardedLink)}
}

// enter has l be told of what comes on a channel. counted is one by which servers are
// counted.
func (c *shardChannels) enter(l *shardedLink, channel string, counted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.users[channel]
	c.users[channel] = append(slices.Clip(before), l)
	if len(before) == 0 {
		c.subscriber.add(c.message, subscription{shardKind, channel, counted})
	}
}

// leave undoes one enter.
func (c *shardChannels) leave(l *shardedLink, channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	users := c.users[channel]
	i := slices.Index(users, l)
	if i < 0 {
		return
	}
	if users = slices.Concat(users[:i], users[i+1:]); len(users) > 0 {
		c.users[channel] = users
		return
	}
	delete(c.users, channel)
	c.subscriber.remove(subscription{shardKind, channel, false}, subscription{shardKind, channel, true})
}

// message hands on what came, once to each.
func (c *shardChannels) message(channel, message string) {
	c.mu.RLock()
	users := c.users[channel]
	c.mu.RUnlock()
	for i, l := range users {
		if !slices.Contains(users[:i], l) {
			l.message(message)
		}
	}
}
