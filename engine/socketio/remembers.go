package socketio

// Remembers reports whether events matter here that nobody on this server receives now:
// because they are kept for clients that may come back, or as a history. An adapter that
// leaves out what nobody here receives asks this first. Safe for concurrent use.
func (a *MemoryAdapter) Remembers() bool { return a.nsp.server.log.on() }
