// What clients of Socket.IO 2 do in another way than later ones, so that the driver can treat all alike.
export const legacy = {
  // options: what later clients say with `auth`, these say in a query behind the namespace.
  options: ({ auth, ...opts }) => (auth ? { ...opts, query: { ...opts.query, ...auth } } : opts),

  // adapt gives the socket what is missing: catch-all listeners, and connect_error where a namespace is refused. Answered
  // heartbeats are given to the former, too, as "$pong".
  adapt(socket) {
    const { onevent } = socket;
    socket.onAny = (listener) => {
      socket.onevent = (packet) => {
        onevent.call(socket, packet); // which adds the function that acknowledges
        listener(...packet.data);
      };
      socket.on("pong", (ms) => listener("$pong", ms));
    };
    socket.on("error", (fault) => socket.listeners("connect_error").forEach((listener) => listener(refusal(fault))));
  },

  // deafen stops the client's pings, and its own watch over the connection.
  deafen(engine) {
    clearTimeout(engine.pingIntervalTimer);
    clearTimeout(engine.pingTimeoutTimer);
    engine.off("heartbeat");
    engine.setPing = () => {};
  },
};

// refusal makes what later clients are given of a bare value: the message is one, or the data are.
function refusal(fault) {
  if (typeof fault === "string") return { message: fault };
  return fault?.message ? fault : { message: "", data: fault };
}
