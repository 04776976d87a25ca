// Package wheel keeps deadlines, counted in ticks, of very many values on one event loop.
//
// It is a timing wheel with intrusive entries: a value waits through the Links embedded in it, at most one deadline each, and arming,
// re-arming and disarming cost a few nanoseconds and no allocation. There is no clock inside: the owner says what tick it is, and
// decides how long a tick lasts.
//
// Everything here is loop-only: no locks, and one goroutine. An armed value is referenced by the wheel and so stays alive; disarm
// what is given up. No slices are handed out.
package wheel
