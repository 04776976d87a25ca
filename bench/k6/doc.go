// Package k6 has load tests for k6 in JavaScript, which README.md explains. What
// Go there is runs them: each against the chat server, and against servers with a
// fault that it has to notice.
package k6
