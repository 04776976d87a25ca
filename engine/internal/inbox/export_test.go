package inbox

// Keep is the bound above which a slice has to be used to be kept.
const Keep = keep

// QueueCap is the capacity of the slice that pushes go to.
func (b *Inbox[T]) QueueCap() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return cap(b.queue)
}
