// Package bench measures the server from outside, with what it exports: figures
// and how to take them are in README.md.
package bench
