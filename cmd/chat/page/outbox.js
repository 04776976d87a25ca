// The outbox: what was written here and has not come back yet.
import { button, element, find } from "./dom.js";
import * as keep from "./keep.js";
import * as log from "./log.js";

const patience = 20_000; // ms until a message that is not acknowledged is said to be so
const list = find("outbox");
const entries = []; // {text, room, state, item}, oldest first; state: waiting, sending, unsure or failed

let socket;
let name = "";
let mayWrite = () => false; // to a room, which has to be joined first

export function over(s, may) {
  socket = s;
  mayWrite = may;
}

/** Under which name the server knows this page. */
export function signed(n) {
  name = n;
}

/** Sends a text to a room, now or as soon as there is a connection. */
export function post(text, room) {
  const entry = { text, room };
  entries.push(entry);
  send(entry);
  show(log.current());
  log.toEnd();
}

function send(entry) {
  if (!socket.connected || !mayWrite(entry.room)) {
    put(entry, "waiting", "waiting for a connection…");
    return;
  }
  entry.name = name;
  put(entry, "sending", "sending…");
  const args = entry.room ? { text: entry.text, room: entry.room } : entry.text;
  socket.timeout(patience).emit("chatMessage", args, (late, answer) => acknowledged(entry, late, answer));
}

function acknowledged(entry, late, answer) {
  if (answer?.error) return put(entry, "failed", `Not sent: ${answer.error}`, ...choices(entry));
  if (late) {
    if (entry.message) leave(entry);
    else if (entry.state === "sending") unsure(entry);
    return;
  }
  if (answer?.id) keep.keepWritten(answer.id);
  if (entry.message) {
    entry.message.state = answer?.stored ? "stored" : "sent";
    log.mark(entry.message);
  }
  leave(entry);
}

const unsure = (entry) => put(entry, "unsure", "not confirmed", ...choices(entry));

function choices(entry) {
  const again = () => {
    leave(entry);
    post(entry.text, entry.room);
    find("message").focus();
  };
  const give = () => {
    leave(entry);
    find("message").focus();
  };
  return [button("Send again", again), button("Discard", give)];
}

// put says where an entry is on its way.
function put(entry, state, words, ...more) {
  entry.state = state;
  entry.item ??= element("li", "message mine waiting", log.bubble({ text: entry.text, mine: true }));
  entry.item.classList.toggle("failed", state === "failed" || state === "unsure");
  entry.item.querySelector(".meta").replaceChildren(element("span", "", words), ...more);
}

function leave(entry) {
  const at = entries.indexOf(entry);
  if (at >= 0) entries.splice(at, 1);
  entry.item.remove();
  log.empty();
}

/** Shows what is on its way to a room. */
export function show(room) {
  list.replaceChildren(...entries.filter((e) => e.room === room.name && !e.message).map((e) => e.item));
  log.empty();
}

/** Finds the entry that a message is, if it is one: it leaves the outbox, and is waited for only for its state. A message
 *  of a history has no sender's id, so its name has to do. */
export function arrived(m) {
  if (m.from ? !m.mine : keep.wrote(m.id)) return;
  const ours = (e) => !e.message && e.state !== "waiting" && e.room === m.room && e.text === m.text && (m.from || e.name === m.name || !m.id);
  const entry = entries.find(ours);
  if (!entry) return;
  m.mine = true;
  m.state = "sent";
  if (m.id) keep.keepWritten(m.id);
  entry.message = m;
  entry.item.remove();
  if (entry.state !== "sending") leave(entry);
}

/** What was sent over a connection that has ended: whether it arrived is unknown until what was missed is here. */
export function cut() {
  for (const entry of entries.slice()) {
    if (entry.message) leave(entry);
    else if (entry.state === "sending") unsure(entry);
  }
}

/** Sends what waited for a connection. */
export function flush() {
  for (const entry of entries) if (entry.state === "waiting") send(entry);
}
