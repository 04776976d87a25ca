// Package systemd tells a service manager how the program is: that it serves, that it
// reads its configuration again, that it stops, and that it is alive (sd_notify(3), which
// is one datagram of lines NAME=value to a socket that the environment names).
//
// Where nobody asked for that, FromEnvironment returns nil, and the methods of a nil
// Notifier do nothing. What fails is not retried: a service manager that lost a message
// acts on its own timeouts.
package systemd
