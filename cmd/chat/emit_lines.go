package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// Bounds of one request with lines of standard input.
const (
	batchLines = 500
	batchBytes = 256 << 10
	maxLine    = 512 << 10 // bytes
)

// batch is the API's request for several events.
type batch struct {
	Emits []emission `json:"emits"`
}

// batched is its answer.
type batched struct {
	Failed  int `json:"failed"`
	Results []struct {
		Error *apiError `json:"error"`
	} `json:"results"`
}

// bulk emits one event for each line: those that are there already in one request, so
// that a pipe that trickles is not held back.
func (c *emit) bulk(caller *apiCaller, in io.Reader, out io.Writer) error {
	lines, ended := make(chan string, batchLines), make(chan error, 1)
	stop := make(chan struct{})
	defer close(stop)
	go func() { ended <- read(in, lines, stop) }()
	sent := 0
	for first := range lines {
		b := batch{Emits: []emission{c.fromLine(first)}}
		for size := len(first); len(b.Emits) < batchLines && size < batchBytes; {
			line, more := next(lines)
			if !more {
				break
			}
			size += len(line)
			b.Emits = append(b.Emits, c.fromLine(line))
		}
		if err := send(caller, b, sent); err != nil {
			return err
		}
		sent += len(b.Emits)
	}
	if err := <-ended; err != nil {
		return fmt.Errorf("standard input, after %d lines: %w", sent, err)
	}
	fmt.Fprintf(out, "emitted %d events\n", sent)
	return nil
}

// send emits a batch that begins behind so many lines.
func send(caller *apiCaller, b batch, before int) error {
	var answer batched
	if err := caller.post("/v1/broadcast", b, 0, &answer); err != nil {
		return fmt.Errorf("lines from %d on: %w", before+1, err)
	}
	for i, r := range answer.Results {
		if r.Error != nil {
			return &codedError{fmt.Errorf("line %d: %w (%d of %d in that request failed)", before+i+1, r.Error, answer.Failed, len(answer.Results)), exitRefused}
		}
	}
	return nil
}

// next returns a line that is there already.
func next(lines <-chan string) (line string, ok bool) {
	select {
	case line, ok = <-lines:
		return line, ok
	default:
		return "", false
	}
}

// read passes lines on until they end, or nobody wants them any more. Empty ones are left out.
func read(in io.Reader, lines chan<- string, stop <-chan struct{}) error {
	defer close(lines)
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		if len(scanner.Bytes()) == 0 {
			continue
		}
		select {
		case lines <- scanner.Text():
		case <-stop:
			return nil
		}
	}
	return scanner.Err()
}

// apiError is an error as the API tells it.
type apiError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error returns the message.
func (e *apiError) Error() string { return e.Message }

// errorIn reads the error of an answer; nil where there is none.
func errorIn(body []byte) *apiError {
	var answer struct {
		Error *apiError `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return nil
	}
	return answer.Error
}
