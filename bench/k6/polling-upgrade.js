// Clients that cannot begin with WebSocket: VUS of them stay on polling, VUS more are upgraded. Each connects, writes
// MESSAGES, one every EVERY and thus before, during and after the upgrade, waits until all came back, and begins anew.
import { check } from "k6";
import exec from "k6/execution";
import { after, io } from "./socketio.js";
import { Book, compose, newRun } from "./chat.js";
import { latency, number, requireServer, summaryTrendStats, time, url } from "./settings.js";

const vus = number("VUS", 5, 3); // of each kind; every message is up to one request per polling client
const messages = number("MESSAGES", 10);
const every = time("EVERY", "200ms", "100ms");
const duration = time("DURATION", "30s", "5s");
const size = number("PAYLOAD", 128); // bytes of text
const grace = time("GRACE", "15s"); // after the last message, until what has not come is lost

const scenario = (way) => ({ executor: "constant-vus", exec: way, vus, duration: `${duration}ms`, tags: { way } });

export const options = {
  summaryTrendStats,
  scenarios: { polling: scenario("polling"), upgrade: scenario("upgrade") },
  thresholds: {
    checks: ["rate==1"],
    chat_deliveries: [`count>=${2 * vus * messages}`], // a run in which nothing happens is none
    chat_faults: ["count==0"],
    "chat_delivery{way:polling}": latency(100, 250),
    "chat_delivery{way:upgrade}": latency(100, 250),
    "socketio_connecting{way:polling}": latency(100, 250),
    "socketio_connecting{way:upgrade}": latency(100, 250),
    socketio_upgrading: latency(200, 500),
    socketio_errors: ["count==0"],
  },
};

export const setup = requireServer;

export function polling() {
  converse(["polling"]);
}

export function upgrade() {
  converse(["polling", "websocket"]);
}

function converse(transports) {
  const run = newRun();
  const writer = String(exec.vu.idInTest);
  const book = new Book(run, writer);
  const socket = io(url, { transports });
  let written = 0;
  let cancel = () => {};

  const next = () => {
    socket.emit("chatMessage", compose(written++, run, writer, size));
    if (written < messages) cancel = after(every, next);
  };
  const cancelGiven = after(messages * every + grace, () => socket.disconnect());
  const done = () => {
    cancel();
    cancelGiven();
    book.close(messages);
    check(book, { "every message came back": () => book.received === messages });
  };

  socket.on("connect", next);
  socket.on("reply", (text) => {
    book.enter(text, socket.receivedAt);
    if (book.received < messages) return;
    check(socket, { "ends on the transport it should": () => socket.transport === transports[transports.length - 1] });
    socket.disconnect();
  });
  socket.on("disconnect", done);
  socket.on("connect_error", done);
}
