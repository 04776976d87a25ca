package socketio

// SetCORS replaces Options.CORS, from the next request on; who is connected stays. Safe
// from any goroutine; k is not to be changed afterwards.
func (v *Server) SetCORS(k CORS) {
	v.engine.SetCORS(k)
	if v.files != nil {
		v.files.setCORS(k)
	}
}
