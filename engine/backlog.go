package engine

// backlog is the frames that wait for one client, as references, and their bytes.
// The zero value is empty. Loop-only.
type backlog struct {
	frames []*Frame
	bytes  int
	kept   int // frames in front that no policy may drop, as far as one has looked
}

// add takes a reference to f.
func (b *backlog) add(l *loop, f *Frame) {
	f.retain(1)
	b.frames = append(b.frames, f)
	b.count(l, f.weight())
}

// remove gives the frame at i back.
func (b *backlog) remove(l *loop, i int) {
	f := b.frames[i]
	if i < b.kept {
		b.kept--
	}
	copy(b.frames[1:i+1], b.frames[:i])
	b.frames[0] = nil
	b.frames = b.frames[1:]
	b.count(l, -f.weight())
	f.release(1)
}

// drop gives all back.
func (b *backlog) drop(l *loop) {
	for _, f := range b.frames {
		f.release(1)
	}
	b.count(l, -b.bytes)
	b.frames, b.kept = nil, 0
}

func (b *backlog) count(l *loop, bytes int) {
	b.bytes += bytes
	l.stats.queuedBytes.Add(int64(bytes))
}

// over says why f may not be added as well: too many bytes, or too many frames. A
// frame that would be the only one always may.
func (b *backlog) over(o *Options, f *Frame) (cause SlowCause, over bool) {
	switch {
	case b.bytes > 0 && b.bytes+f.weight() > o.HighWaterMark:
		return SlowBytes, true
	case len(b.frames) >= o.MaxQueued:
		return SlowFrames, true
	}
	return 0, false
}

// dropOldest gives the oldest frame back that may be lost; false when there is none.
func (b *backlog) dropOldest(l *loop) bool {
	for b.kept < len(b.frames) && b.frames[b.kept].kept {
		b.kept++
	}
	if b.kept == len(b.frames) {
		return false
	}
	b.remove(l, b.kept)
	l.stats.slowDropped.Add(1)
	return true
}
