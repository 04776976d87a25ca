// Package clienttest drives real clients against a live server from Go tests: the official socket.io-client packages
// from npm (2.5, 3.1, 4.0, 4.5 and 4.8) under Node, and a headless Chromium.
//
// One test starts one Driver, which is one Node process; the process ends with the test. The clients keep everything
// they receive in order from the first moment on, so a test asks with Client.Wait for what has come or will come, and
// never sleeps. Every call has a deadline and fails its test with what was going on in the client; calls are therefore
// made on the test's own goroutine, except for the methods of different tests' drivers, which do not meet.
//
// Node packages are not part of the repository. They are installed by
//
//	npm ci --prefix engine/socketio/clienttest/testdata/node
//
// and without them Start and OpenBrowser skip their test, unless the environment says CI=true: there it fails.
//
// Slices that are returned belong to the caller.
package clienttest
