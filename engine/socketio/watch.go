package socketio

import "slices"

// watcher is told of every room that a socket of its namespace joins and leaves, the
// moment it does. Its methods are called with the socket's lock held, so that each
// socket's changes come in order; they call nothing that the user wrote. What they have
// to say goes to a relay, which flush sets going when no lock is held.
type watcher interface {
	joined(s *Socket, rooms []string) // nil: it has connected, with the rooms it has
	left(s *Socket, rooms []string)
	gone(s *Socket, r Reason) // it has disconnected; it has its rooms still
	flush()
}

// watch adds a watcher and tells it of the sockets that there are. A socket that
// connects meanwhile is told of by itself, or is in the table already.
func (n *Namespace) watch(w watcher) {
	n.editing.Lock()
	n.watchers.Store(new(with(n.watching(), w)))
	n.editing.Unlock()
	for _, s := range n.sockets.all() {
		s.mu.Lock()
		if s.state == connected {
			w.joined(s, nil)
		}
		s.mu.Unlock()
	}
	w.flush()
}

func (n *Namespace) unwatch(w watcher) {
	n.editing.Lock()
	defer n.editing.Unlock()
	left := slices.DeleteFunc(slices.Clone(n.watching()), func(x watcher) bool { return x == w })
	if len(left) == 0 {
		n.watchers.Store(nil)
		return
	}
	n.watchers.Store(&left)
}

func (n *Namespace) watching() []watcher {
	if all := n.watchers.Load(); all != nil {
		return *all
	}
	return nil
}

// flushWatchers is called by whoever told watchers something, without locks.
func (n *Namespace) flushWatchers() {
	for _, w := range n.watching() {
		w.flush()
	}
}

// watchJoined, watchLeft and watchGone tell the watchers. Called with mu held.
func (s *Socket) watchJoined(rooms []string) {
	for _, w := range s.nsp.watching() {
		w.joined(s, rooms)
	}
}

func (s *Socket) watchLeft(rooms []string) {
	for _, w := range s.nsp.watching() {
		w.left(s, rooms)
	}
}

func (s *Socket) watchGone(r Reason) {
	for _, w := range s.nsp.watching() {
		w.gone(s, r)
	}
}

// joinedRooms returns the rooms the socket has joined, without its own id. Called with
// mu held.
func (s *Socket) joinedRooms() []string {
	if s.rare == nil {
		return nil
	}
	return s.rare.rooms
}
