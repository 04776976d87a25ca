// Who is writing at this moment: says so of this page, and shows it of others.
import { find } from "./dom.js";
import * as log from "./log.js";

const again = 2500; // ms between two words that this page's user still writes
const pause = 4000; // ms without a key after which they do not
const believed = 5000; // ms that others' word is believed

const writers = new Map(); // id -> {name, room, timer}
let socket;
let saidAt = 0;
let idle;
let saidIn;

export function over(s) {
  socket = s;
}

/** The user has changed the text. */
export function wrote(text, room) {
  if (!text.trim()) return stopped();
  clearTimeout(idle);
  idle = setTimeout(stopped, pause);
  if (Date.now() - saidAt < again && saidIn === room) return;
  if (saidIn !== room) stopped();
  saidAt = Date.now();
  saidIn = room;
  say(true);
}

/** The user has sent the text, or taken it back. */
export function stopped() {
  clearTimeout(idle);
  if (saidIn !== undefined) say(false);
  saidAt = 0;
  saidIn = undefined;
}

function say(typing) {
  if (socket?.connected) socket.volatile.emit("typing", saidIn ? { room: saidIn, typing } : { typing });
}

/** The server says that somebody writes, or has stopped. */
export function heard({ id, name, room = "", typing }) {
  clearTimeout(writers.get(id)?.timer);
  writers.delete(id);
  if (typing) writers.set(id, { name, room, timer: setTimeout(() => done(id), believed) });
  show();
}

/** Somebody has said what they wrote, or is gone. */
export function done(id) {
  clearTimeout(writers.get(id)?.timer);
  if (writers.delete(id)) show();
}

export function show() {
  const names = [...writers.values()].filter((w) => w.room === log.current()?.name).map((w) => w.name);
  const several = names.length > 3 ? `${names.length} people are writing…` : `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are writing…`;
  find("typing").textContent = names.length === 0 ? "" : names.length === 1 ? `${names[0]} is writing…` : several;
}
