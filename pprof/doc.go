// Package pprof serves what an operator looks at, on an HTTP address of its own: runtime profiles under /debug/pprof/, numbers for
// Prometheus under /metrics, and /healthz and /readyz for whoever restarts or routes to the program.
//
// It runs on net/http's goroutines and waits for nobody: a function of the program that does not answer in 2 s (a check, or the reading
// of one metric) is reported as such, at most one goroutine per function stays behind with it, and everything else answers. So it shows
// where event loops are stuck, when they are.
//
// There is no authentication. Profiles reveal the command line, the code's paths and what goroutines do, hence the default address is
// loopback; put another one behind a firewall or a proxy. The standard package net/http/pprof is not used, because importing it puts its
// handlers on http.DefaultServeMux, which a program may well serve to the public; nothing of this package is reachable but through a
// Server's Handler.
//
// Nothing here keeps or hands out byte slices.
package pprof
