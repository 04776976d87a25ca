// A Socket.IO client for k6: protocol 5 over Engine.IO 4 (servers of Socket.IO 3 and 4), over WebSocket, long polling, and
// the upgrade from one to the other. It is one file and needs nothing but k6 1.x: copy it into your own load tests.
//
//   import { io } from "./socketio.js";
//
//   export default function () {
//     const socket = io("http://localhost:3000", { transports: ["websocket"] });
//     socket.on("reply", (text) => console.log(text));
//     socket.on("connect", () => {
//       socket.emit("chatMessage", "hello", () => socket.disconnect()); // runs when the server acknowledges
//     });
//   }
//
// An iteration lasts until its sockets are closed: call disconnect(), and use after() rather than sleep(), which would keep
// the heartbeat from being answered. Errors close a socket for good; it does not reconnect. Binary is not supported.
//
// What it measures, tagged with the transport that was used first and with options.tags:
//
//   socketio_connected    counter   sockets that were let in
//   socketio_connecting   trend ms  from io() to the server's CONNECT
//   socketio_upgrading    trend ms  from the probe to the first packet that goes over WebSocket
//   socketio_ack          trend ms  from emit() to the acknowledgement
//   socketio_errors       counter   by reason: what went wrong; a threshold of "count==0" is a good one
//   socketio_unseen       counter   open packets that k6 dropped, see below; such a socket has no socketio_connecting
//
// Times are whole milliseconds: k6 has no finer clock.
import http from "k6/http";
import { Counter, Trend } from "k6/metrics";
import { WebSocket } from "k6/websockets";

const connectedCount = new Counter("socketio_connected");
const connectingTime = new Trend("socketio_connecting", true);
const upgradingTime = new Trend("socketio_upgrading", true);
const ackTime = new Trend("socketio_ack", true);
const errorCount = new Counter("socketio_errors");
const unseenCount = new Counter("socketio_unseen");

// k6 1.8.1 drops a WebSocket message that it reads before it has called onopen, which happens to one open packet in some
// thousands where k6 is short of CPU. Servers do not wait to be greeted either, so that after this many ms a client goes on
// without: all that it needs to know is how often the server pings, and that it takes to be the default.
const missedAfter = 1000;
const unseen = { upgrades: [], pingInterval: 25000, pingTimeout: 20000 };

const defaults = {
  path: "/socket.io/",
  transports: ["polling", "websocket"], // the first one connects; the second one, if any, is upgraded to
  namespace: "/",
  auth: undefined, // object for the server's middleware
  query: {}, // more of the URL's query
  extraHeaders: {},
  timeout: 20000, // ms until the server's CONNECT
  ackTimeout: 10000, // ms until an acknowledgement
  tags: {}, // of every metric
};

/** Connects to a server. The options are above; their names are those of the official client, where it has them. */
export function io(url, options) {
  return new Socket(url, { ...defaults, ...options });
}

/**
 * Calls back in so many ms, and returns what cancels that. Unlike k6's setTimeout (1.8.1) it is never early: there, a timer
 * that is cleared in the moment it is due has the next one run in its place, whenever that is due.
 */
export function after(ms, callback) {
  const due = Date.now() + ms;
  let timer;
  const arm = () => (timer = setTimeout(turn, Math.max(0, due - Date.now())));
  const turn = () => (Date.now() + 1 < due ? arm() : callback()); // 1 ms: the clock has whole ones only
  arm();
  return () => clearTimeout(timer);
}

/** One client in one namespace. `id`, `connected`, `transport` and `receivedAt` are to be read. */
class Socket {
  constructor(url, options) {
    this.options = options;
    this.prefix = options.namespace === "/" ? "" : options.namespace + ",";
    this.id = undefined;
    this.connected = false;
    this.receivedAt = 0; // when the packet whose handler runs was read from the network, ms since 1970
    this.handlers = {};
    this.early = []; // packets emitted before the server's CONNECT
    this.acks = new Map(); // id -> {answer, sent, cancel}
    this.nextAck = 0;
    this.reasons = new Set(); // that were told already
    this.tags = { ...options.tags, transport: options.transports[0] };
    this.started = Date.now();
    this.cancelTimeout = after(options.timeout, () => this.refused({ message: "timeout" }));
    this.engine = new Engine(url, options, this);
  }

  /** "polling" or "websocket". */
  get transport() {
    return this.engine.transport.name;
  }

  /**
   * Adds a handler for an event of the server, or for one of ours: "connect" (), "connect_error" ({message}),
   * "upgrade" (), "disconnect" (reason). An event that asks for an acknowledgement has a function as its last argument.
   */
  on(event, handler) {
    (this.handlers[event] = this.handlers[event] || []).push(handler);
    return this;
  }

  /**
   * Sends an event, or keeps it until the socket is connected. A function as the last argument gets the arguments of the
   * acknowledgement, unless that never comes.
   */
  emit(event, ...args) {
    if (this.engine.state === "closed") return;
    let id = "";
    if (typeof args[args.length - 1] === "function") {
      const answer = args.pop();
      id = this.nextAck++;
      const cancel = after(this.options.ackTimeout, () => this.acks.delete(id) && this.failed("ack timeout"));
      this.acks.set(id, { answer, cancel, sent: Date.now() });
    }
    const packet = `42${this.prefix}${id}${JSON.stringify([event, ...args])}`;
    if (this.connected) this.engine.send(packet);
    else this.early.push(packet);
  }

  /** Says goodbye and closes the connection. */
  disconnect() {
    if (this.connected) this.engine.send("41" + this.prefix);
    this.engine.close("io client disconnect");
  }

  /** Lets what the server sends wait there: polling only, where the client does not poll. */
  stopReading() {
    this.engine.hold();
  }

  resumeReading() {
    this.engine.resume();
  }

  // --- what the engine reports --------------------------------------------------------------------------------------

  opened() {
    this.engine.send("40" + this.prefix + (this.options.auth ? JSON.stringify(this.options.auth) : ""));
  }

  upgraded(ms) {
    upgradingTime.add(ms, this.tags);
    this.fire("upgrade", []);
  }

  /** One Socket.IO packet: type, namespace, id, JSON. */
  message(packet, at) {
    this.receivedAt = at;
    const [, type, , namespace = "/", id, json] = packet.match(/^(\d)((\/[^,]*),?)?(\d*)(.*)$/s) || [];
    if (namespace !== this.options.namespace || type === "5" || type === "6") {
      return this.broken(`cannot read ${packet.slice(0, 80)}`);
    }
    let data;
    try {
      data = json ? JSON.parse(json) : undefined;
    } catch (e) {
      return this.broken(`${e.message} in ${packet.slice(0, 80)}`);
    }
    switch (type) {
      case "0":
        return this.welcomed(data);
      case "1":
        return this.engine.close("io server disconnect");
      case "2":
        return this.fire(data[0], id === "" ? data.slice(1) : [...data.slice(1), this.answerTo(id)]);
      case "3":
        return this.acknowledged(Number(id), data);
      case "4":
        return this.refused(data);
      default:
        return this.broken(`cannot read ${packet.slice(0, 80)}`);
    }
  }

  /** The end. Reasons are the official client's; only our own is no error. */
  closed(reason, detail) {
    this.cancelTimeout();
    const lost = this.acks.size;
    for (const { cancel } of this.acks.values()) cancel();
    this.acks.clear();
    const wasConnected = this.connected;
    this.connected = false;
    if (wasConnected) this.fire("disconnect", [reason]);
    if (reason === "io client disconnect") return;
    for (let i = 0; i < lost; i++) this.failed("ack lost");
    this.failed(reason, detail);
    if (!wasConnected) this.fire("connect_error", [{ message: detail || reason }]);
  }

  failed(reason, detail) {
    errorCount.add(1, { ...this.tags, reason });
    if (!this.reasons.has(reason)) console.warn(`socketio: ${reason}${detail ? `: ${detail}` : ""}`);
    this.reasons.add(reason);
  }

  // --- parts of message ---------------------------------------------------------------------------------------------

  welcomed({ sid }) {
    this.cancelTimeout();
    this.id = sid;
    this.connected = true;
    if (!this.engine.blind) connectingTime.add(Date.now() - this.started, this.tags);
    connectedCount.add(1, this.tags);
    this.early.splice(0).forEach((packet) => this.engine.send(packet));
    this.fire("connect", []);
  }

  refused(error) {
    this.engine.close("connect error", error.message);
  }

  broken(detail) {
    this.engine.close("parse error", detail);
  }

  acknowledged(id, args) {
    const ack = this.acks.get(id);
    if (!ack) return this.failed("unexpected ack", `number ${id}`);
    this.acks.delete(id);
    ack.cancel();
    ackTime.add(Math.max(0, this.receivedAt - ack.sent), this.tags);
    ack.answer(...args);
  }

  answerTo(id) {
    return (...args) => this.engine.send(`43${this.prefix}${id}${JSON.stringify(args)}`);
  }

  fire(event, args) {
    for (const handler of this.handlers[event] || []) handler(...args);
  }
}

/** An Engine.IO session: handshake, heartbeat, and the way its packets take. */
class Engine {
  constructor(url, options, socket) {
    this.options = options;
    this.socket = socket;
    this.state = "opening"; // then open, then closed
    this.waiting = undefined; // packets that wait while the transport changes
    this.cancelSilence = () => {}; // the end that comes without the next ping
    const query = Object.entries(options.query).map(([k, v]) => `&${encodeURIComponent(k)}=${encodeURIComponent(v)}`);
    this.base = `${url.replace(/\/+$/, "")}${options.path}?EIO=4${query.join("")}`;
    this.cancelMissed = () => {};
    this.transport = this.dial(options.transports[0], {
      ready: () => (this.cancelMissed = after(missedAfter, () => this.missed())),
      packet: (packet, at) => this.received(packet, at),
      closed: (reason, detail) => this.close(reason, detail),
    });
  }

  dial(name, on) {
    const url = `${this.base}&transport=${name}${this.sid ? `&sid=${this.sid}` : ""}`;
    const Transport = name === "polling" ? Polling : OverWebSocket;
    // One name for all: the session id would make every client's URL a time series of its own.
    return new Transport(url, { headers: this.options.extraHeaders, tags: { ...this.options.tags, name } }, on);
  }

  send(packet) {
    if (this.state === "closed") return;
    if (this.waiting) this.waiting.push(packet);
    else this.transport.send(packet);
  }

  received(packet, at) {
    if (this.state === "closed") return;
    switch (packet[0]) {
      case "0":
        return this.open(JSON.parse(packet.slice(1)));
      case "1":
        return this.close("transport close", "the server closed the session");
      case "2":
        this.alive();
        return this.send("3" + packet.slice(1));
      case "4":
        return this.socket.message(packet.slice(1), at);
      case "6":
        return;
      default:
        return this.close("parse error", `packet ${String(packet).slice(0, 80)}`);
    }
  }

  /** Goes on without the open packet. */
  missed() {
    if (this.state !== "opening") return;
    this.blind = true;
    unseenCount.add(1, this.socket.tags);
    this.open(unseen);
  }

  open({ sid, upgrades, pingInterval, pingTimeout }) {
    if (this.state === "open") return; // late, but not dropped
    this.cancelMissed();
    this.state = "open";
    this.sid = sid;
    this.patience = pingInterval + pingTimeout;
    this.transport.opened(sid, this.patience);
    this.alive();
    this.socket.opened();
    if (this.options.transports.length > 1 && upgrades.includes("websocket")) this.upgrade();
  }

  /** The server's pings are its only sign of life that counts. */
  alive() {
    this.cancelSilence();
    this.cancelSilence = after(this.patience, () => this.close("ping timeout"));
  }

  /** Probes a WebSocket, lets polling come to rest, and changes over. */
  upgrade() {
    const started = Date.now();
    const ws = this.dial("websocket", {
      ready: () => ws.send("2probe"),
      packet: (packet, at) => {
        if (this.transport === ws) return this.received(packet, at);
        if (packet !== "3probe") return ws.close();
        this.waiting = [];
        this.transport.rest(() => {
          if (this.state === "closed") return ws.close();
          ws.send("5");
          this.transport = ws;
          this.waiting.forEach((waited) => ws.send(waited));
          this.waiting = undefined;
          this.socket.upgraded(Date.now() - started);
        });
      },
      closed: (reason, detail) => {
        if (this.transport === ws || this.waiting) this.close(reason, detail);
        else if (this.state !== "closed") this.socket.failed("upgrade", detail);
      },
    });
    this.candidate = ws;
  }

  hold() {
    if (this.transport.name !== "polling") throw new Error("socketio: stopReading works with polling only");
    this.cancelSilence();
    this.transport.hold();
  }

  resume() {
    if (this.state === "closed") return;
    this.alive();
    this.transport.resume();
  }

  close(reason, detail) {
    if (this.state === "closed") return;
    this.state = "closed";
    this.cancelMissed();
    this.cancelSilence();
    this.transport.close();
    if (this.candidate && this.candidate !== this.transport) this.candidate.close();
    this.socket.closed(reason, detail);
  }
}

/** One packet per message. */
class OverWebSocket {
  constructor(url, params, on) {
    this.name = "websocket";
    let error;
    this.ws = new WebSocket(url.replace(/^http/, "ws"), null, params);
    this.ws.binaryType = "arraybuffer";
    this.ws.onopen = () => (this.unwanted ? this.ws.close() : on.ready && on.ready());
    this.ws.onmessage = ({ data, timestamp }) => on.packet(data, timestamp);
    this.ws.onerror = (e) => (error = e.error);
    this.ws.onclose = () => on.closed(error ? "transport error" : "transport close", error);
  }

  opened() {}

  send(packet) {
    if (this.ws.readyState === 1) this.ws.send(packet);
  }

  close() {
    this.unwanted = true; // k6 hangs where one that is still connecting is closed
    if (this.ws.readyState === 1) this.ws.close();
  }
}

/** At most one GET and one POST at a time; packets are joined by 0x1e. */
class Polling {
  constructor(url, params, on) {
    this.name = "polling";
    this.url = url;
    this.params = params;
    this.on = on;
    this.outbox = [];
    this.get();
  }

  opened(sid, patience) {
    this.sid = sid;
    this.url += `&sid=${sid}`;
    this.params = { ...this.params, timeout: patience };
  }

  async get() {
    if (this.getting || this.held || this.resting || this.shut) return;
    this.getting = true;
    const response = await http.asyncRequest("GET", this.url, null, this.params);
    this.getting = false;
    if (this.accepts(response)) {
      const at = Date.now();
      response.body.split("\x1e").forEach((packet) => this.on.packet(packet, at));
    }
    this.get();
    this.settle();
  }

  send(packet) {
    this.outbox.push(packet);
    this.post();
  }

  async post() {
    if (this.posting) return;
    this.posting = true;
    await null; // what is sent in one go travels together
    while (this.outbox.length > 0) {
      const payload = this.outbox.splice(0).join("\x1e");
      const response = await http.asyncRequest("POST", this.url, payload, this.params);
      if (!this.accepts(response)) break;
    }
    this.posting = false;
    this.settle();
  }

  accepts(response) {
    if (this.shut) return false;
    if (response.status === 200) return true;
    this.shut = true;
    this.on.closed("transport error", response.error || `status ${response.status}: ${response.body}`);
    return false;
  }

  /** Calls back when no request is under way any more, and makes none. */
  rest(settled) {
    this.resting = settled;
    this.settle();
  }

  settle() {
    if (this.resting && !this.getting && !this.posting && !this.shut) this.resting();
  }

  hold() {
    this.held = true;
  }

  resume() {
    this.held = false;
    this.get();
  }

  /** What was sent before still goes out; the answer to a GET that is held is not looked at. */
  close() {
    if (!this.shut && this.sid) this.send("1");
    this.shut = true;
  }
}
