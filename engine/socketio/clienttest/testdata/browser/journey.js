// One stock client in a page, through all that a cell of the matrix must show. It returns how it travelled; what is not
// as it should be is thrown. `legacy` is a client of Socket.IO 2.
async ({ script, transports, legacy, room }) => {
  const loaded = new Promise((done, fail) => {
    const tag = Object.assign(document.createElement("script"), { src: script, onload: done, onerror: fail });
    document.head.append(tag);
  });
  await loaded;
  const { io } = window;

  const options = (auth) => ({ transports, forceNew: true, reconnection: false, ...(auth && (legacy ? { query: auth } : { auth })) });
  const within = (what, start) =>
    new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`waited 30 s for ${what}`)), 30_000);
      start((...args) => done(args, clearTimeout(timer)));
    });
  const once = (socket, event) => within(event, (done) => socket.once(event, done));
  const ask = (socket, event, ...args) => within(`the ack of ${event}`, (done) => socket.emit(event, ...args, done));
  const refusal = (socket) => once(socket, legacy ? "error" : "connect_error");
  const same = (what, got, want) => {
    const text = (value) => JSON.stringify(value, (_, v) => (v instanceof ArrayBuffer ? [...new Uint8Array(v)] : v));
    if (text(got) !== text(want)) throw new Error(`${what}: got ${text(got).slice(0, 300)}, want ${text(want).slice(0, 300)}`);
  };
  const connected = (socket) =>
    new Promise((done, fail) => {
      for (const event of ["connect_error", "error"]) socket.on(event, (fault) => fail(new Error(`${event}: ${fault?.message ?? fault}`)));
      socket.on("connect", () => {
        const { engine } = socket.io;
        if (transports.length > 1 && engine.transport.name === "polling") engine.once("upgrade", () => done(socket));
        else done(socket);
      });
    });
  const socket = await connected(io(options()));
  const other = await connected(io(options()));
  const { transport, id: sid } = socket.io.engine;
  const extensions = transport.ws?.extensions ?? "";

  // events and acknowledgements both ways, with text and binary long enough to be compressed
  const long = "grüß Gott, 😀 世界; ".repeat(1000);
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i).buffer;
  const args = [long, { blob: bytes, list: [new ArrayBuffer(0), "x", bytes] }, bytes];
  const echoed = once(socket, "echoed");
  socket.emit("echo", ...args);
  same("echoed", await echoed, args);
  same("mirror", await ask(socket, "mirror", ...args), args);
  socket.once("question", (question, answer) => answer(question));
  const answered = once(socket, "answered");
  socket.emit("ask", bytes);
  same("answered", await answered, [bytes]);
  const [{ secure, protocol, transport: seen }] = await ask(socket, "witness");
  same("the transport that the server sees", seen, transport.name);

  // rooms
  await ask(socket, "join", room);
  const told = once(socket, "room");
  other.on("room", () => (other.stray = true));
  other.emit("toRoom", room, "hello");
  same("room", await told, ["hello"]);
  await ask(other, "mirror", "fence");
  same("strays", other.stray, undefined);

  // another namespace over the same connection: refused, and let in
  const refused = socket.io.socket("/admin", legacy ? { query: { token: "bad" } } : { auth: { token: "bad" } });
  const why = refusal(refused);
  if (refused.active === false) refused.connect();
  const [{ message, data, code }] = await why;
  same("refusal", legacy ? code : [message, data.code], legacy ? 7 : ["not authorised", 7]);
  if (legacy) refused.query = { token: "good" };
  else refused.auth = { token: "good" };
  const admitted = once(refused, "connect");
  refused.connect();
  await admitted;
  same("of the other namespace", await ask(refused, "mirror", "in"), ["in"]);
  refused.disconnect();

  // goodbyes
  await ask(other, "join", "watchers");
  const kicked = once(socket, "disconnect");
  const gone = once(other, "gone");
  const { id } = socket;
  socket.emit("kick", false);
  same("who was thrown out hears", (await kicked)[0], "io server disconnect");
  same("the others hear", await gone, [{ id, reason: "server namespace disconnect" }]);
  other.disconnect();

  const polls = performance.getEntriesByType("resource").filter(({ name }) => name.includes(`sid=${sid}`));
  performance.clearResourceTimings(); // there is room for 250
  return {
    transport: transport.name,
    extensions,
    secure,
    protocol,
    http: [...new Set(polls.map((poll) => poll.nextHopProtocol))].join(),
    compressed: polls.some(({ encodedBodySize, decodedBodySize }) => encodedBodySize < decodedBodySize),
  };
}
