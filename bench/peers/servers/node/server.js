// The chat on Node's own Socket.IO server, with what its documentation advises for
// speed: no compression (the default), the native masking of bufferutil, and no HTTP
// request kept per connection. `npm ci` in the folder above installs it.
const { createServer } = require("node:http");
const { parseArgs } = require("node:util");
const { Server } = require("socket.io");

const { values } = parseArgs({ options: { addr: { type: "string", default: "127.0.0.1:0" } } });
const colon = values.addr.lastIndexOf(":");

const http = createServer();
const io = new Server(http, { serveClient: false });
io.engine.on("connection", (session) => {
  session.request = null;
});
io.on("connection", (socket) => {
  socket.on("chatMessage", (text) => io.emit("reply", text));
  socket.on("echo", (text, ack) => ack(text));
});

http.on("error", (err) => {
  console.error(`node: ${err.message}`);
  process.exit(1);
});
// The backlog is Go's: the machine's, and at most 4,096.
http.listen({ host: values.addr.slice(0, colon), port: Number(values.addr.slice(colon + 1)), backlog: 4096 }, () => {
  const { address, port } = http.address();
  console.log(`listening ${address}:${port}`);
});
process.stdin.on("end", () => process.exit(0)).resume();
