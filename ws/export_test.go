package ws

// UnmaskWords is the loop that Unmask uses for short payloads.
var UnmaskWords = unmaskWords

// Poison tells whether pools drop and overwrite buffers, as under -race.
const Poison = poison

// CarryCap returns the capacity of the buffer held for the current message.
func (r *Reader) CarryCap() int {
	if r.message == nil {
		return 0
	}
	return cap(r.message.B)
}
