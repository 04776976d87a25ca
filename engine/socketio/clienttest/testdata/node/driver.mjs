// Drives any number of official Socket.IO clients for the Go tests; see lines.mjs for how requests travel.
// Wherever a request names a client (`c`), it may name a list of them: the command then runs for all at the same time
// and the result is the list of results.
import { serve } from "./lines.mjs";
import { Client } from "./client.mjs";
import { decodeMsgpack, encodePacket } from "./parsers.mjs";

const clients = new Map();
let last = 0;

function add(client) {
  clients.set(++last, client);
  return last;
}

function get(c) {
  const client = clients.get(c);
  if (!client) throw new Error(`no client ${c}`);
  return client;
}

const forEach = (command) => (request) =>
  Array.isArray(request.c)
    ? Promise.all(request.c.map((c) => command(get(c), request)))
    : command(get(request.c), request);

async function connect(request) {
  const client = new Client(request, request.on && get(request.on));
  return { c: add(client), ...(await client.opened(request.timeout)) };
}

serve({
  connect,
  encodePackets: ({ packets }) => packets.map(encodePacket),
  decodeMsgpack: ({ messages }) => messages.map(decodeMsgpack),
  // many opens n connections in one burst. The result counts what became of them.
  async many(request) {
    const results = await Promise.all(Array.from({ length: request.n }, () => connect(request)));
    const errors = results.filter((r) => !r.ok).map((r) => r.error.message);
    return { clients: results.map((r) => r.c), errors };
  },
  reconnect: forEach((client, { auth, timeout }) => client.again(auth, timeout)),

  emit: forEach((client, { event, args }) => client.emit(event, args)),
  // sequence emits 0, 1, ... n-1 without waiting in between.
  sequence: forEach((client, { event, n }) => {
    for (let i = 0; i < n; i++) client.emit(event, [i]);
  }),
  emitAck: forEach((client, { event, args, timeout }) => client.emitAck(event, args, timeout)),
  onAck: forEach((client, { event, reply }) => client.answer(event, reply)),

  wait: forEach((client, { event, count, timeout }) => client.take(event, count, timeout)),
  count: forEach((client, { event }) => client.mailbox.count(event)),
  drain: forEach((client) => client.mailbox.drain()),
  waitUpgrade: forEach((client, { timeout }) => client.upgraded(timeout)),
  state: forEach((client) => client.state()),

  disconnect: forEach((client) => void client.socket.disconnect()),
  closeTransport: forEach((client) => void client.engine.close()),
  abort: forEach((client) => client.abort()),
  deafen: forEach((client) => client.deafen()),
  drop: forEach((client) => client.drop()),
});
