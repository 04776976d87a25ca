package conversation

// Elsewhere is of how many rooms with somebody in them at other servers c knows.
func (c *Conversation) Elsewhere() (rooms int) {
	e := c.fleet.elsewhere
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.servers {
		rooms += len(o.rooms)
	}
	return rooms
}
