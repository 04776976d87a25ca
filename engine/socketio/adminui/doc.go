// Package adminui speaks the protocol of Socket.IO's admin UI: an operator opens its
// static page, of the npm package @socket.io/admin-ui or at https://admin.socket.io,
// and sees servers, namespaces, rooms and sockets, and may emit, have sockets join and
// leave rooms, and disconnect them.
//
//	ui, err := adminui.Instrument(io, adminui.Options{Username: "ops", PasswordHash: hash})
//	mux.Handle("/admin/", http.StripPrefix("/admin", adminui.Files(os.DirFS("node_modules/@socket.io/admin-ui/ui/dist"))))
//
// It is a namespace, "/admin", with a login of its own. Node: instrument(io, {...}) of
// @socket.io/admin-ui 0.5.1, which says what every message looks like.
//
// # What it costs
//
// Nobody looks: nothing, but for the namespace, which has the server keep what a client
// said when it connected (some hundred bytes each; see socketio.Socket.Handshake).
// While an admin is connected:
//
//   - Production: every 2 s the server's counters are read and sent.
//   - Development: also, every connect, disconnect, join and leave is sent, for up to
//     Options.MaxSockets sockets; and up to Options.EventRate events a second are, which
//     have to be encoded another time. Inline handlers stay inline.
//
// An admin whose connection is slow loses events first, and is closed then, as any
// client is. Everything that is kept has a bound.
//
// # Differences from Node's
//
// Mode is Production unless told otherwise. Logins are throttled. Cookies and what looks
// like a secret in headers and queries is hidden from admins. A broadcast is shown as
// sent to some of its receivers, not to all. A socket's data are the values of its shared
// keys; they and its transport are looked at every 2 s. Sockets beyond MaxSockets are
// counted, and not shown. A command for a namespace that is not there makes none.
//
// # Who runs what
//
// Every exported method is safe for concurrent use. Locks: UI.order, then UI.mu, then
// those of package socketio. The first is taken on workers and timers only, and may be
// held while a value of a shared key encodes itself; nothing that an application emits
// waits for it.
package adminui
