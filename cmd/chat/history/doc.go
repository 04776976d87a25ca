// Package history keeps what was said: messages in their order, by room, in a place
// that is there after a restart.
//
//	h, err := history.Open(ctx, history.Options{Store: "/var/lib/fanfare/history.db"})
//	m, receipt := h.Add(history.Message{Name: "Ada", Text: "hello"}) // has its ID now
//	err = receipt.Wait(ctx)                                          // nil: it is durable
//	page, more, err := h.Before(ctx, "", "", 50)                     // the last ones
//	page, more, err = h.Before(ctx, "", page[0].ID, 50)              // those before
//
// # What is promised
//
// Adding never waits for the store. Messages queue, and one goroutine (the writer) writes
// them in groups, in the order of Add; a receipt is good once its group is durable. So
// whatever is found after a crash is the beginning of what was added, no message of it
// torn, and none is missing whose receipt was good.
//
// A store that fails or is slow makes the history [Degraded]: receipts fail at once, so
// that nobody waits; messages stay in the queue, whose bound is Options.Queue, and are
// written when the store is back, if that is soon enough. What is beyond the bound is lost
// and counted.
//
// # Reading
//
// The newest messages of a room come from memory, as soon as somebody has asked for
// them: a storm of newcomers asks the store once. What was added is seen at once, whether
// it has been written or not.
//
// # Locks
//
// History.mu is a leaf: nothing is called with it held that blocks, and no store.
package history
