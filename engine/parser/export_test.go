package parser

// Scan is the scanner under Decode.
var Scan = scan

// AppendUnescaped undoes the escapes of a raw string.
var AppendUnescaped = appendUnescaped
