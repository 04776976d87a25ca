// Package undertest is what the Go servers of this module have in common: how a
// server under test is started and ended, the raw dialect, and the members of a
// broadcast in order of arrival. None of it is on the way of a delivery but the
// walk over the members, which is a slice in every peer that leaves the choice.
package undertest
