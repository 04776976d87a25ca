// Package page serves the web page of the chat: index.html, its styles, its modules and its icon, all embedded in the
// program; there is no build step. The modules are written against the official Socket.IO client, which the page loads
// either from the server that serves it or from Socket.IO's public CDN with an integrity attribute.
//
// The contract with the server is docs/chat.md's. With a server that knows nothing but "chatMessage" and "reply" the page
// is a chat without names, rooms and history.
//
//	chat.js        joins the parts          model.js    rooms and messages, without elements
//	connection.js  the connection, in words  history.js  earlier messages, and those missed
//	log.js         what was said            outbox.js   what is on its way
//	rooms.js       the list of rooms        people.js   who is there
//	typing.js      who is writing           drawers.js  panels on narrow screens
//	login.js       tokens that expire       keep.js     what the browser keeps
//
// The embedded bytes are immutable and never leave the package other than through the handler.
package page
