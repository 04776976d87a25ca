package redisadapter

import "strings"

var globEscaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

// escapeGlob returns a pattern of PSUBSCRIBE that matches s and nothing else. Node takes
// a namespace as a pattern.
func escapeGlob(s string) string { return globEscaper.Replace(s) }
