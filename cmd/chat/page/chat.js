// The chat page. It emits "chatMessage" with a text; the server sends "reply" with that text to everyone, the sender
// included. `io` is the official client, loaded by the script element before this one.

const kept = 1000; // messages that stay on the page; older ones leave it
const find = (id) => document.getElementById(id);

const transports = { polling: ["polling"], websocket: ["websocket"] };
const transportNames = { polling: "long polling", websocket: "WebSocket", webtransport: "WebTransport" };

// --- the log: what the server said, in its order ---------------------------------------------------------------

const log = find("log");
const scroller = find("scroller");
let total = 0;

function element(name, className, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text; // text only: a message never becomes markup
  return e;
}

function messageItem(text, mine) {
  const item = element("li", mine ? "message mine" : "message");
  const words = element("p", "", text);
  words.dir = "auto";
  item.append(element("span", "unseen", mine ? "You:" : "Someone:"), words);
  return item;
}

function timestamp() {
  const now = new Date();
  const time = element("time", "", now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = now.toISOString();
  time.title = now.toLocaleString();
  return time;
}

function meta(...parts) {
  const line = element("div", "meta");
  line.append(...parts);
  return line;
}

function show(text, mine) {
  const item = messageItem(text, mine);
  item.append(meta(timestamp()));
  append(log, item, mine);
  if (log.childElementCount > kept) log.firstElementChild.remove();
  total++;
  find("count").textContent = total.toLocaleString();
  find("count-noun").textContent = total === 1 ? "message" : "messages";
}

// append follows the conversation only for readers who are at its end; the others get a button.
function append(list, item, follow) {
  const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 48;
  find("empty").hidden = true;
  list.append(item);
  if (atEnd || follow) toEnd();
  else find("newer").hidden = false;
}

function toEnd() {
  scroller.scrollTop = scroller.scrollHeight;
  find("newer").hidden = true;
}

find("newer").addEventListener("click", () => {
  toEnd();
  find("message").focus();
});
scroller.addEventListener("scroll", () => {
  if (scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 48) find("newer").hidden = true;
});

// --- the outbox: what was written here and has not come back yet -------------------------------------------------

const outbox = []; // {text, sent, lost, item}, oldest first

function post(socket, text) {
  const item = messageItem(text, true);
  item.classList.add("waiting");
  const entry = { text, item, sent: socket.connected, lost: false };
  note(entry, entry.sent ? "sending…" : "waiting for a connection…");
  outbox.push(entry);
  append(find("outbox"), item, true);
  socket.emit("chatMessage", text); // kept by the client until there is a connection
}

function note(entry, text, ...more) {
  entry.item.querySelector(".meta")?.remove();
  entry.item.append(meta(element("span", "", text), ...more));
}

function leaveOutbox(entry) {
  outbox.splice(outbox.indexOf(entry), 1);
  entry.item.remove();
}

// received shows a reply. It is our own if we are waiting for just that text: the contract has no sender.
function received(text) {
  const entry = outbox.find((e) => e.sent && !e.lost && e.text === text);
  if (entry) leaveOutbox(entry);
  show(text, Boolean(entry));
}

function flushed() {
  for (const entry of outbox) {
    if (entry.sent) continue;
    entry.sent = true;
    note(entry, "sending…");
  }
}

// cut is called when a connection ends: whether what was sent on it arrived is unknown, so the writer decides.
function cut(socket) {
  for (const entry of outbox) {
    if (!entry.sent || entry.lost) continue;
    entry.lost = true;
    const again = element("button", "", "Send again");
    again.type = "button";
    again.addEventListener("click", () => {
      leaveOutbox(entry);
      post(socket, entry.text);
      find("message").focus();
    });
    note(entry, "not confirmed", again);
  }
}

// --- the connection --------------------------------------------------------------------------------------------

function status(state, text) {
  find("status").dataset.state = state;
  find("status-text").textContent = text;
}

function notice(title, text, ...more) {
  find("notice").replaceChildren(element("strong", "", title), element("span", "", text), ...more);
  find("notice").hidden = false;
  find("empty").hidden = true;
}

function connect() {
  const chosen = new URLSearchParams(location.search).get("transport");
  const socket = io(Object.hasOwn(transports, chosen) ? { transports: transports[chosen] } : {});
  let reason = "";

  const connected = () => {
    const { name } = socket.io.engine.transport;
    status("connected", `Connected over ${transportNames[name] ?? name}`);
  };

  socket.on("connect", () => {
    find("notice").hidden = true;
    find("empty").hidden = total + outbox.length > 0;
    flushed();
    connected();
    socket.io.engine.once("upgrade", connected);
  });

  socket.on("disconnect", (why) => {
    reason = why;
    cut(socket);
    if (socket.active) status("reconnecting", `Connection lost (${why}). Reconnecting…`);
    else ended(socket, why);
  });

  socket.on("connect_error", (error) => {
    if (socket.active) status(reason ? "reconnecting" : "connecting", `No connection (${error.message}). Trying again…`);
    else ended(socket, error.message);
  });

  socket.io.on("reconnect_attempt", (attempt) => {
    status("reconnecting", `Reconnecting, attempt ${attempt}${reason ? ` (${reason})` : ""}…`);
  });

  socket.on("reply", (text) => received(typeof text === "string" ? text : JSON.stringify(text)));
  return socket;
}

// ended says that the client will not try again by itself.
function ended(socket, why) {
  status("disconnected", `Disconnected (${why})`);
  const again = element("button", "", "Connect again");
  again.type = "button";
  again.addEventListener("click", () => {
    status("connecting", "Connecting…");
    socket.connect();
  });
  notice("The connection has ended.", `The reason given: ${why}. `, element("br"), again);
}

function start() {
  if (typeof io === "undefined") {
    status("disconnected", "The Socket.IO client did not load");
    notice(
      "The Socket.IO client did not load.",
      "The page could not fetch its client script. Check the network, or start the server with the npm package's files, then reload.",
    );
    find("message").disabled = true;
    find("composer").querySelector("button").disabled = true;
    return;
  }
  const socket = connect();
  find("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    const input = find("message");
    if (input.value.trim()) post(socket, input.value);
    input.value = "";
    input.focus();
  });
}

start();
