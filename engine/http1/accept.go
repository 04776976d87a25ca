package http1

import "bytes"

// AcceptEncoding returns which of the codings the client likes best by its
// Accept-Encoding fields (RFC 9110 §12.5.3), -1 for none: the one of the highest
// weight above 0, of equals the one that is named first, and those that only "*"
// stands for behind them, in the order given here. It does not allocate. Loop-only.
func (q *Request) AcceptEncoding(codings ...string) int {
	best, bestRank := -1, rank{}
	for i, c := range codings {
		if r := q.rankOf(c, i); r.weight > 0 && r.before(bestRank) {
			best, bestRank = i, r
		}
	}
	return best
}

// rank is how a coding stands with a client.
type rank struct {
	weight int // in thousandths
	any    bool
	place  int
}

func (r rank) before(o rank) bool {
	switch {
	case r.weight != o.weight:
		return r.weight > o.weight
	case r.any != o.any:
		return o.any
	}
	return r.place < o.place
}

// rankOf looks for a coding by its name, and for "*" where it has none. Named twice,
// the higher weight counts, as for Node's negotiator.
func (q *Request) rankOf(coding string, given int) (r rank) {
	named, place := false, 0
	for i := range q.Fields {
		if !equalFold(q.Fields[i].Name, "Accept-Encoding") {
			continue
		}
		for list := q.Fields[i].Value; len(list) > 0; place++ {
			var e []byte
			e, list = nextElement(list)
			name, weight := cutWeight(e)
			switch {
			case equalFold(name, coding) && (!named || weight > r.weight):
				r, named = rank{weight: weight, place: place}, true
			case !named && len(name) == 1 && name[0] == '*' && weight >= r.weight:
				r = rank{weight, true, given}
			}
		}
	}
	return r
}

// cutWeight splits "coding;q=0.5". What is no weight counts as 0: not acceptable.
func cutWeight(e []byte) (name []byte, thousandths int) {
	name, params, has := bytes.Cut(e, []byte{';'})
	if !has {
		return trimOWS(name), 1000
	}
	params = trimOWS(params)
	if len(params) < 2 || lower(params[0]) != 'q' || params[1] != '=' {
		return trimOWS(name), 0
	}
	return trimOWS(name), weightOf(params[2:])
}

// weightOf reads 0 to 1 with at most three decimals, RFC 9110 §12.4.2, in thousandths.
func weightOf(b []byte) (n int) {
	if len(b) == 0 || len(b) > 5 || b[0] != '0' && b[0] != '1' || len(b) > 1 && b[1] != '.' {
		return 0
	}
	n = int(b[0]-'0') * 1000
	for i, unit := 2, 100; i < len(b); i, unit = i+1, unit/10 {
		if b[i] < '0' || b[i] > '9' {
			return 0
		}
		n += int(b[i]-'0') * unit
	}
	if n > 1000 {
		return 0
	}
	return n
}
