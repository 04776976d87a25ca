// One Socket.IO server of Node's that does what it is told. Everything that is a listener of the server itself, for events
// of other servers, keeps what it hears in a mailbox.
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { Mailbox } from "../../../clienttest/testdata/node/mailbox.mjs";
import { clients, factory } from "./adapters.mjs";
import { freeze, thaw } from "./values.mjs";

const require = createRequire(new URL("../../../clienttest/testdata/node/package.json", import.meta.url));
const { Server } = require("socket.io");
const { Emitter } = require("@socket.io/redis-emitter");

export class House {
  #heard = new Map(); // namespace -> Mailbox

  static async open(request) {
    const house = new House();
    house.name = request.name;
    house.prefix = request.prefix;
    house.connections = await clients(request);
    house.http = createServer();
    house.io = new Server(house.http, {
      adapter: factory(request, house.connections),
      connectionStateRecovery: request.recovery ? {} : undefined,
      pingInterval: request.pingInterval,
      pingTimeout: request.pingTimeout,
    });
    for (const name of request.namespaces) house.furnish(house.io.of(name));
    house.io.of(/^\/dynamic-\w+$/);
    house.io.on("new_namespace", (nsp) => house.furnish(nsp));
    await new Promise((done) => house.http.listen(0, "127.0.0.1", done));
    house.url = `http://127.0.0.1:${house.http.address().port}`;
    return house;
  }

  furnish(nsp) {
    if (this.#heard.has(nsp.name)) return;
    const heard = new Mailbox();
    this.#heard.set(nsp.name, heard);
    nsp.on("hello", (...args) => heard.put("hello", freeze(args)));
    nsp.on("question", (word, answer) => answer(`${word} from ${this.name}`));
    nsp.on("mirror", (value, answer) => answer(value));
    nsp.on("silence", () => {});
  }

  async close() {
    await this.io.close();
    for (const c of this.connections) (c.destroy ?? c.disconnect).call(c);
  }

  obey(order) {
    const nsp = this.io.of(order.nsp ?? "/");
    const args = thaw(order.args ?? []);
    return this[`$${order.op}`](nsp, { ...order, args });
  }

  // #target is whom an order is for, as the chain of operators that the application would write.
  #target(nsp, { from, rooms, except, volatile, noCompress, local, timeout }) {
    let t = nsp;
    if (from) t = rooms ? nsp.sockets.get(from) : nsp.sockets.get(from).broadcast;
    if (rooms) t = t.to(rooms);
    if (except) t = t.except(except);
    if (volatile) t = t.volatile;
    if (noCompress) t = t.compress(false);
    if (local) t = t.local;
    if (timeout) t = t.timeout(timeout);
    return t;
  }

  $emit(nsp, order) {
    this.#target(nsp, order).emit(order.event, ...order.args);
  }

  $sequence(nsp, order) {
    for (let i = 0; i < order.n; i++) this.#target(nsp, order).emit(order.event, i, ...order.args);
  }

  $ask(nsp, order) {
    return new Promise((done) =>
      this.#target(nsp, order).emit(order.event, ...order.args, (fault, answers) =>
        done({ missing: !!fault, answers: freeze(answers ?? []) }),
      ),
    );
  }

  async $fetch(nsp, order) {
    const sockets = await this.#target(nsp, order).fetchSockets();
    return { sockets: sockets.map(describe) };
  }

  async $remote(nsp, { id, verb, event, args, targets, close, timeout }) {
    const [socket] = await nsp.in(id).fetchSockets();
    if (!socket) throw new Error(`no socket ${id}`);
    if (verb === "emit") socket.emit(event, ...args);
    if (verb === "join") socket.join(targets);
    if (verb === "leave") for (const room of targets) socket.leave(room);
    if (verb === "disconnect") socket.disconnect(!!close);
    if (verb !== "ask") return {};
    try {
      return { answers: [freeze(await socket.timeout(timeout).emitWithAck(event, ...args))] };
    } catch {
      return { missing: true, answers: [] };
    }
  }

  $join(nsp, order) {
    this.#target(nsp, order).socketsJoin(order.targets);
  }

  $leave(nsp, order) {
    this.#target(nsp, order).socketsLeave(order.targets);
  }

  $disconnect(nsp, order) {
    this.#target(nsp, order).disconnectSockets(!!order.close);
  }

  $tell(nsp, { event, args }) {
    nsp.serverSideEmit(event, ...args);
  }

  $consult(nsp, { event, args }) {
    return new Promise((done) =>
      nsp.serverSideEmit(event, ...args, (fault, answers) => done({ missing: !!fault, answers: freeze(answers ?? []) })),
    );
  }

  async $heard(nsp, { n }) {
    return { heard: await this.#heard.get(nsp.name).take("hello", n, 10_000) };
  }

  async $servers(nsp) {
    return { count: await nsp.adapter.serverCount() };
  }

  async $rooms(nsp) {
    return { rooms: [...(await nsp.adapter.allRooms())].map(String) };
  }

  // What follows is done to sockets of this server alone.

  async $enter(nsp, { id, targets }) {
    await nsp.sockets.get(id).join(targets);
  }

  async $exit(nsp, { id, targets }) {
    for (const room of targets) await nsp.sockets.get(id).leave(room);
  }

  $label(nsp, { id, label }) {
    nsp.sockets.get(id).data.label = label;
  }

  $direct(nsp, { id, event, args }) {
    nsp.sockets.get(id).emit(event, ...args);
  }

  // $emitter is a process without a server: @socket.io/redis-emitter.
  $emitter(nsp, order) {
    const emitter = new Emitter(this.connections[0], { key: this.prefix }, nsp.name);
    const t = this.#target(emitter, { ...order, local: false, timeout: 0 });
    if (order.verb === "emit") t.emit(order.event, ...order.args);
    if (order.verb === "join") t.socketsJoin(order.targets);
    if (order.verb === "leave") t.socketsLeave(order.targets);
    if (order.verb === "disconnect") t.disconnectSockets(!!order.close);
    if (order.verb === "tell") emitter.serverSideEmit(order.event, ...order.args);
  }
}

function describe({ id, rooms, data, handshake }) {
  const { query, auth, address, secure, xdomain, issued, url, time, headers } = handshake;
  return {
    id,
    rooms: [...rooms].map(String),
    label: data.label ?? "",
    handshake: {
      query: query.q ?? "",
      auth: auth?.token ?? "",
      header: headers["x-test"] ?? "",
      address,
      secure,
      xdomain,
      path: url.split("?")[0],
      recent: Math.abs(Date.now() - issued) < 600_000 && Math.abs(Date.now() - Date.parse(time)) < 600_000,
    },
  };
}
