// Package rooms is the index between rooms and members of one event loop: who is in a room, which rooms a member is in, and a walk over
// unions of rooms minus others that survives members leaving under it.
//
// Members are numbers: slots of a slab that the owner keeps. The index stores a member's side in a List, embedded in whatever the owner
// keeps in that slot, and asks for it by number. It knows nothing about sockets or sending.
//
// Everything is loop-only: no locks, one goroutine. A membership costs 16 bytes, 8 on either side, and joining and leaving take O(1)
// beyond the search for the membership itself, which looks through the shorter of the two sides. Room names are kept as they are given
// (not copied) until their last member leaves: do not pass a string that pins a large buffer. The slice that Walk.Next fills is the
// caller's own.
package rooms
