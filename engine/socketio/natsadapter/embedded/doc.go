// Package embedded runs a NATS server within the process, one of a cluster of such
// processes, so that package natsadapter needs no other broker.
package embedded

import _ "github.com/nats-io/nats-server/v2/server"
