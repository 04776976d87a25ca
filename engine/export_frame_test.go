package engine

import "github.com/fanfare-go/fanfare/ws"

// Size is how many bytes the frame has over WebSocket.
func (f *Frame) Size() int { return f.weight() }

// Volatile reports whether SetVolatile was called.
func (f *Frame) Volatile() bool { return f.volatile }

// Frames returns its messages as a test's client sees them.
func (f *Frame) Frames() (all []string) {
	for wire := f.plain(); ; {
		op, data, rest, ok := ws.NextFrame(wire)
		if !ok {
			return all
		}
		if op == ws.OpBinary {
			all = append(all, "binary:"+string(data))
		} else {
			all = append(all, string(data))
		}
		wire = rest
	}
}
