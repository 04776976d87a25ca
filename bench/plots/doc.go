// Command plots turns the JSON lines of load runs (report.Result) into charts, each as
// SVG and PNG.
//
//	go run . -in results/*.jsonl -out ../../docs/charts
//
// The same input makes the same bytes. Runs in which something was lost, doubled or
// out of order are told of and left out.
package main
