// Package page serves the web page of the chat: index.html, its style, its script and its icon, all embedded in the
// program. The script is written against the official Socket.IO client, which the page loads either from the server
// that serves it or from Socket.IO's public CDN with an integrity attribute.
//
// The contract with the server: the page emits "chatMessage" with one string; the server sends "reply" with the same
// string to everyone, the sender included.
//
// The embedded bytes are immutable and never leave the package other than through the handler.
package page
