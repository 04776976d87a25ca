package parser

// AppendMsgpack appends one JSON value as msgpack: what servers of a cluster say to each other. A placeholder in it stands
// for each of the attachments, as with [Msgpack]; what is not so is [ErrJSON] or [ErrIllegalAttachments], and dst as it was.
// Numbers are written as short as they can be, objects in their order.
func AppendMsgpack(dst, value []byte, attachments [][]byte) ([]byte, error) {
	w := msgpackWriter{in: value, out: dst, attachments: attachments}
	if err := w.all(); err != nil {
		return dst, err
	}
	return w.out, nil
}

// DecodeMsgpack reads one msgpack value, and nothing behind it, as JSON in which a placeholder stands for each of the
// attachments. Both own their memory. Undefined is null. Declared lengths are checked before anything is allocated for them.
// A nil lim means the defaults; of its bounds Depth and Attachments matter.
func DecodeMsgpack(message []byte, lim *Limits) (value []byte, attachments [][]byte, err error) {
	var defaults Limits
	if lim == nil {
		lim = &defaults
	}
	r := msgpackReader{b: message, maxDepth: lim.depth(), most: lim.attachments()}
	kind, err := r.value()
	switch {
	case err != nil:
		return nil, nil, err
	case r.i != len(message):
		return nil, nil, ErrMsgpack
	case kind == undefined:
		return []byte("null"), nil, nil
	}
	r.write(&envelope{size: r.size, attachments: r.attached})
	return r.out, r.attachments, CheckPlaceholders(r.out, len(r.attachments))
}
