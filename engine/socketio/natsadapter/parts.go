package natsadapter

// assembly puts together a message that came in parts. A server sends the parts of one
// message one after the other.
type assembly struct {
	subject string
	next    int // the part that is wanted
	parts   int
	whole   []byte
}

// add takes a part, and returns the message when it is whole, from its kind on, or an error
// if this cannot become one. What was there of another message is given up.
func (a *assembly) add(subject string, payload []byte, most int) (whole []byte, err error) {
	r := reader{b: payload}
	i, parts := r.below(1<<31), r.below(1<<31)
	switch {
	case r.bad || parts < 2 || i >= parts || len(r.b) == 0:
		a.drop()
		return nil, errFrame
	case i == 0:
		*a = assembly{subject: subject, parts: parts}
	case a.subject != subject || i != a.next || parts != a.parts:
		a.drop() // a part was lost, which its number has told
		return nil, nil
	}
	if len(a.whole)+len(r.b) > most {
		a.drop()
		return nil, errTooLong
	}
	a.whole = append(a.whole, r.b...)
	if a.next++; a.next < a.parts {
		return nil, nil
	}
	whole = a.whole
	a.drop()
	return whole, nil
}

func (a *assembly) drop() { *a = assembly{} }
