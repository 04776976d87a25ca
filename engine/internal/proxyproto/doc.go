// Package proxyproto reads the header of the PROXY protocol, with which a balancer says
// whose connection it passes on: version 1 is a line of text, version 2 is binary
// (https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt). It knows bytes, and
// nothing of connections, time or trust: who calls Parse has to know that the peer may say
// so, and how long to wait for the rest.
package proxyproto
