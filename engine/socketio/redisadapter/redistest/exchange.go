package redistest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// exchange is one command on a connection of its own: tests of what a client does should
// not depend on that client.
func exchange(addr, password string, args ...string) (string, error) {
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }() // nothing is lost with it
	_ = c.SetDeadline(time.Now().Add(patience))
	r := bufio.NewReader(c)
	if password != "" {
		if err := send(c, "AUTH", password); err != nil {
			return "", err
		}
		if _, err := receive(r); err != nil {
			return "", err
		}
	}
	if err := send(c, args...); err != nil {
		return "", err
	}
	return receive(r)
}

func send(w io.Writer, args ...string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func receive(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil || len(line) < 3 {
		return "", fmt.Errorf("half an answer: %v", err)
	}
	rest := line[1 : len(line)-2]
	switch line[0] {
	case '-':
		return "", fmt.Errorf("refused: %s", rest)
	case '$':
		n, err := strconv.Atoi(rest)
		if err != nil || n < 0 {
			return "", err
		}
		b := make([]byte, n+2)
		_, err = io.ReadFull(r, b)
		return string(b[:n]), err
	case '*':
		n, err := strconv.Atoi(rest)
		if err != nil {
			return "", err
		}
		var lines []string
		for range n {
			l, err := receive(r)
			if err != nil {
				return "", err
			}
			lines = append(lines, l)
		}
		return strings.Join(lines, "\n"), nil
	}
	return rest, nil
}
