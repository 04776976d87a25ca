//go:build !race

package ws

const poison = false
