package parser

import "strconv"

// AppendBuffers appends valid JSON with each placeholder replaced by its attachment as Node's JSON.stringify has a Buffer:
// {"type":"Buffer","data":[1,2]}. It fails as [CheckPlaceholders] does, and dst is as it was then. Safe for concurrent use.
func AppendBuffers(dst, data []byte, attachments [][]byte) ([]byte, error) {
	if !mayHavePlaceholder(data) {
		return append(dst, data...), nil
	}
	w := placeholderWalk{data: data, n: len(attachments), spans: make([]span, 0, len(attachments))}
	if err := w.run(); err != nil {
		return dst, err
	}
	from := 0
	for _, s := range w.spans {
		dst = append(dst, data[from:s.start]...)
		dst = append(dst, `{"type":"Buffer","data":[`...)
		for i, c := range attachments[s.num] {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendUint(dst, uint64(c), 10)
		}
		dst = append(dst, `]}`...)
		from = s.end
	}
	return append(dst, data[from:]...), nil
}
