package parser

// Scan is the scanner under Decode.
var Scan = scan
