// One stock Socket.IO client with a memory: every event, connect, error and disconnect goes to its mailbox.
// Names that begin with "$" are the driver's own; everything else is an event of the application.
import { createRequire } from "node:module";
import { within } from "./lines.mjs";
import { legacy } from "./legacy.mjs";
import { Mailbox } from "./mailbox.mjs";
import { pack, unpack } from "./binary.mjs";

const require = createRequire(import.meta.url);
const defaults = { forceNew: true, reconnection: false, reconnectionDelay: 20, reconnectionDelayMax: 100, timeout: 60000, rejectUnauthorized: false };

export class Client {
  mailbox = new Mailbox();
  left; // the last disconnect, if any
  #answers = new Map(); // event -> fixed arguments, or "echo"

  // `on` is another Client whose connection is used for a further namespace.
  constructor({ version, url, namespace = "/", opts = {}, msgpack }, on) {
    if (msgpack) opts = { ...opts, parser: require("socket.io-msgpack-parser") };
    this.legacy = on ? on.legacy : version.startsWith("2.");
    if (this.legacy) opts = legacy.options(opts);
    if (on) {
      this.socket = on.socket.io.socket(namespace, opts);
    } else {
      const client = require(`socket.io-client-${version}`);
      this.socket = (client.io ?? client)(url + (namespace === "/" ? "" : namespace), { ...defaults, ...opts });
    }
    if (this.legacy) legacy.adapt(this.socket);
    this.#listen();
    if (this.socket.active === false) this.socket.connect();
  }

  get engine() {
    return this.socket.io.engine;
  }

  state() {
    return {
      connected: this.socket.connected,
      active: this.legacy ? !!this.socket.subs : this.socket.active,
      sid: this.socket.id ?? "",
      engine: this.engine?.id ?? "",
      transport: this.engine?.transport?.name ?? "",
      recovered: this.socket.recovered ?? false,
      extensions: this.engine?.transport?.ws?.extensions ?? "",
    };
  }

  // take waits for `count` of what the mailbox keeps under a name.
  async take(name, count, ms) {
    try {
      return await this.mailbox.take(name, count, ms);
    } catch (fault) {
      throw new Error(`${fault.message}; ${this.words()}`);
    }
  }

  // words say how the client is, for the message of a test that fails.
  words() {
    return JSON.stringify({ ...this.state(), left: this.left });
  }

  // opened resolves with the outcome of the attempt that is under way. That outcome is then taken: what "$connect" and
  // "$connect_error" hold afterwards are later attempts.
  async opened(ms) {
    const [outcome] = await this.take("$opened", 1, ms);
    this.mailbox.clear(outcome.ok ? "$connect" : "$connect_error");
    return outcome;
  }

  // again asks for the namespace once more, as a page does after a refusal or a disconnect.
  again(auth, ms) {
    if (auth !== undefined) this.socket[this.legacy ? "query" : "auth"] = auth;
    for (const name of ["$opened", "$connect", "$connect_error"]) this.mailbox.clear(name);
    this.socket.connect();
    return this.opened(ms);
  }

  emit(event, args) {
    this.socket.emit(event, ...unpack(args));
  }

  // Versions before 4.4 have no timeout() of their own, hence a clock here for all.
  emitAck(event, args, ms) {
    const ack = new Promise((resolve) => this.socket.emit(event, ...unpack(args), (...reply) => resolve(pack(reply))));
    return within(ack, ms, () => `ack of ${event}; ${this.words()}`);
  }

  // answer sets how acknowledgement requests of the server are answered from now on.
  answer(event, reply) {
    this.#answers.set(event, reply === "echo" ? reply : unpack(reply));
  }

  upgraded(ms) {
    const { name } = this.engine.transport;
    if (name !== "polling") return name;
    const done = new Promise((resolve, reject) => {
      this.engine.once("upgrade", (transport) => resolve(transport.name));
      this.engine.once("upgradeError", (fault) => reject(fault));
      this.engine.once("close", (reason) => reject(new Error(`closed while upgrading: ${reason}`)));
    });
    return within(done, ms, () => `the upgrade; ${this.words()}`);
  }

  // deafen makes the client leave the server's heartbeats unanswered; everything else still works.
  deafen() {
    if (this.legacy) return legacy.deafen(this.engine);
    for (const name of ["sendPacket", "_sendPacket"]) {
      const send = this.engine[name];
      if (send) this.engine[name] = (type, ...rest) => type !== "pong" && send.call(this.engine, type, ...rest);
    }
  }

  // abort cuts the connection without a word, as a lost network does. Over polling that is the held request only; the
  // client itself goes on waiting for its answer.
  abort() {
    const { transport } = this.engine;
    if (transport.ws) transport.ws.terminate();
    else transport.pollXhr?.abort();
  }

  drop() {
    this.socket.io.reconnection(false);
    this.socket.disconnect();
    this.engine?.close();
  }

  #listen() {
    const { socket, mailbox } = this;
    socket.on("connect", () => {
      const state = this.state();
      mailbox.put("$connect", state);
      mailbox.put("$opened", { ok: true, ...state });
    });
    socket.on("connect_error", (fault) => {
      const error = { message: fault.message, data: pack(fault.data) ?? null };
      mailbox.put("$connect_error", error);
      mailbox.put("$opened", { ok: false, error });
    });
    socket.on("disconnect", (reason, details) => {
      if (!socket.io.reconnection()) mailbox.put("$opened", { ok: false, error: { message: reason, data: null } });
      this.left = { reason, description: String(details?.description ?? details?.message ?? "") };
      mailbox.put("$disconnect", this.left);
    });
    socket.onAny((event, ...args) => this.#received(event, args));
  }

  #received(event, args) {
    const reply = typeof args.at(-1) === "function" ? args.pop() : undefined;
    this.mailbox.put(event, pack(args));
    const answer = this.#answers.get(event);
    if (reply && answer) reply(...(answer === "echo" ? args : answer));
  }
}
