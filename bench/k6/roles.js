// Readers and writers of one run with a beginning that all know: whoever is in by then must receive everything.
import { check } from "k6";
import { Book, compose, newRun } from "./chat.js";
import { time } from "./settings.js";
import { after } from "./socketio.js";

const settling = 1000; // ms that everybody stays after the last message, for what might come twice
const grace = time("GRACE", "15s"); // after the last message, until what has not come is lost

/** A run that begins to write in lead ms, for length ms. For setup(), which hands it to all. */
export function plan(lead, length) {
  const begin = Date.now() + lead;
  return { id: newRun(), begin, end: begin + length };
}

/** A scenario of so many clients that each live through one run. */
export function crowd(exec, clients, lead, length) {
  const maxDuration = `${lead + length + grace + 15000}ms`;
  return { executor: "per-vu-iterations", exec, vus: clients, iterations: 1, maxDuration, gracefulStop: "0s" };
}

/** Keeps the book of a socket until the run is over, and then disconnects it. */
export function read(socket, run, expected, tags) {
  const book = new Book(run.id);
  const leave = () => {
    clearInterval(watch);
    book.close(expected);
  };
  const watch = setInterval(() => {
    const over = Date.now() - run.end;
    if (over > grace || (over > settling && book.received >= expected)) socket.disconnect();
  }, 250);
  socket.on("connect", () => check(socket, { "connected before the first message": () => Date.now() < run.begin }));
  socket.on("reply", (text) => book.enter(text, socket.receivedAt, tags));
  socket.on("disconnect", leave);
  socket.on("connect_error", leave);
}

/** Writes count messages, one every so many ms, the first of them offset ms after the beginning. */
export function write(socket, run, writer, { count, every, size, offset = 0 }) {
  let written = 0;
  let cancel = () => {};
  const later = () => (cancel = after(run.begin + offset + written * every - Date.now(), next));
  const next = () => {
    socket.emit("chatMessage", compose(written, run.id, writer, size));
    if (++written < count) later();
  };
  socket.on("connect", later);
  socket.on("disconnect", () => cancel());
}
