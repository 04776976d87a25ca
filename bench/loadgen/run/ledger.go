package run

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ledger is a page of memory that parent and children share, so that the child that
// sends knows when all children have everything without asking anybody. Every field
// has one writer. Atomic.
type ledger struct {
	head    *head
	columns []column // one for each child, the bystander's last
	loaded  []column // without the bystander's
	memory  []byte
}

// head is written by the child that sends.
type head struct {
	sent  atomic.Uint32 // messages so far, over all phases
	ended atomic.Uint32 // the phase that has ended last
	_     [56]byte
}

// column is written by its child: a cache line of its own, which others may read
// often.
type column struct {
	delivered atomic.Uint64 // texts or round trips of this phase
	open      atomic.Uint64 // connections
	_         [48]byte
}

func ledgerSize(children int) int {
	return int(unsafe.Sizeof(head{})) + children*int(unsafe.Sizeof(column{}))
}

// newLedger returns a ledger and the file that children open it by.
func newLedger(children, loaded int) (*ledger, *os.File, error) {
	fd, err := unix.MemfdCreate("loadgen", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, nil, fmt.Errorf("loadgen: shared memory: %w", err)
	}
	file := os.NewFile(uintptr(fd), "ledger")
	if err := file.Truncate(int64(ledgerSize(children))); err != nil {
		_ = file.Close()
		return nil, nil, fmt.Errorf("loadgen: shared memory: %w", err)
	}
	l, err := openLedger(file, children, loaded)
	if err != nil {
		_ = file.Close()
	}
	return l, file, err
}

func openLedger(file *os.File, children, loaded int) (*ledger, error) {
	b, err := unix.Mmap(int(file.Fd()), 0, ledgerSize(children), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("loadgen: shared memory: %w", err)
	}
	first := unsafe.Pointer(&b[unsafe.Sizeof(head{})])
	columns := unsafe.Slice((*column)(first), children)
	return &ledger{head: (*head)(unsafe.Pointer(&b[0])), columns: columns, loaded: columns[:loaded], memory: b}, nil
}

func (l *ledger) close() error { return unix.Munmap(l.memory) }

// delivered is what the load clients have received in this phase.
func (l *ledger) delivered() (sum uint64) {
	for i := range l.loaded {
		sum += l.loaded[i].delivered.Load()
	}
	return sum
}

// open is how many connections they have.
func (l *ledger) open() (sum uint64) {
	for i := range l.loaded {
		sum += l.loaded[i].open.Load()
	}
	return sum
}
