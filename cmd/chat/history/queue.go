package history

// What is written in one go, at most.
const (
	batchMessages = 512
	batchBytes    = 1 << 20
)

// batch is messages that are written together, and settle together.
type batch struct {
	messages []Message
	bytes    int
	receipt  *Receipt
	sealed   bool // takes no more messages
}

func (b *batch) full() bool {
	return b.sealed || len(b.messages) >= batchMessages || b.bytes >= batchBytes
}

// queue is what waits to be written, in order; the first batch may be under way.
type queue struct {
	batches []*batch
	count   int // messages
	bytes   int
}

// push puts a message at the end. Where it is not worth waiting for, its receipt has
// failed already.
func (q *queue) push(m Message, promise bool) *Receipt {
	n := len(q.batches)
	if n == 0 || q.batches[n-1].full() {
		b := &batch{receipt: newReceipt()}
		if !promise {
			b.receipt.settle(ErrDegraded)
		}
		q.batches = append(q.batches, b)
		n++
	}
	b, size := q.batches[n-1], m.size()
	b.messages = append(b.messages, m)
	b.bytes += size
	q.count++
	q.bytes += size
	return b.receipt
}

// first returns the batch to be written next, which grows no more; nil if there is none.
func (q *queue) first() *batch {
	if len(q.batches) == 0 {
		return nil
	}
	q.batches[0].sealed = true
	return q.batches[0]
}

// shift takes the first batch out.
func (q *queue) shift() {
	b := q.batches[0]
	q.batches[0] = nil
	q.batches = q.batches[1:]
	q.count -= len(b.messages)
	q.bytes -= b.bytes
}

// fail tells all who wait that they need not.
func (q *queue) fail(err error) {
	for _, b := range q.batches {
		b.receipt.settle(err)
	}
}

// seal makes what comes next another batch, with a promise of its own.
func (q *queue) seal() {
	if n := len(q.batches); n > 0 {
		q.batches[n-1].sealed = true
	}
}

// of returns the waiting messages of a room within a span.
func (q *queue) of(room string, s span) (found []Message) {
	for _, b := range q.batches {
		for i := range b.messages {
			if m := &b.messages[i]; m.Room == room && s.contains(m.ID) {
				found = append(found, *m)
			}
		}
	}
	return found
}
