// Package webtransport serves Socket.IO over WebTransport, which is over HTTP/3. It is a
// module of its own: QUIC is not for everybody.
//
//	io := socketio.New(socketio.Options{
//		Transports: []socketio.Transport{socketio.Polling, socketio.WebSocket, socketio.WebTransport},
//	})
//	wt := &webtransport.Server{H3: &http3.Server{Addr: ":443", TLSConfig: config}} // of webtransport-go
//	mux := http.NewServeMux()
//	mux.Handle("/socket.io/", fanfarewebtransport.Handler(io, wt))
//	wt.H3.Handler = mux
//	webtransport.ConfigureHTTP3Server(wt.H3)
//	go wt.ListenAndServe()
//
// Each session is carried over a connection to the Socket.IO server within the process,
// where it is a WebSocket by another name: the limits, reasons and statistics are the
// same. It takes three goroutines and two descriptors.
package webtransport
