package tunnel

import "time"

// beat tells the others that we are there, and notices who is not, until Close.
func (t *Tunnel) beat() {
	tick := time.NewTicker(t.options.Pulse)
	defer tick.Stop()
	for {
		select {
		case <-t.quit:
			return
		case <-tick.C:
		}
		_ = t.send(Everybody, &frame{kind: kindHere}) // or with the next one
		heard, lost := t.roll()
		for _, p := range lost {
			t.part(p)
		}
		for _, p := range heard {
			t.compare(p)
		}
	}
}

// roll returns the peers that are there, and those that were silent too long.
func (t *Tunnel) roll() (heard, lost []*peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.peers {
		if time.Since(p.heard) >= t.options.Silence {
			lost = append(lost, p)
		} else {
			heard = append(heard, p)
		}
	}
	return heard, lost
}

// compare tells a peer how far the streams are that were quiet, so that a part that was
// lost behind the latest one is noticed, and a stream that only one end knows.
func (t *Tunnel) compare(p *peer) {
	var b []byte
	for _, s := range p.streams(false) {
		f, ok := s.probe()
		if !ok {
			continue
		}
		if len(b) > t.options.Chunk {
			_ = t.sendBytes(p.tag, b) // or the next time
			b = nil
		}
		if b == nil {
			b = t.self.append(nil)
		}
		b = f.append(b)
	}
	if b != nil {
		_ = t.sendBytes(p.tag, b) // likewise
	}
}

// silent is told that a peer has not answered. Where it was not heard of for as long, it is
// gone.
func (t *Tunnel) silent(p *peer) error {
	t.mu.Lock()
	quiet := p.gone || time.Since(p.heard) >= t.options.Patience
	t.mu.Unlock()
	if !quiet {
		return ErrNoAnswer
	}
	return ErrPeerGone
}
