// The connection, and what is said of it. `io` is the official client, loaded by the script element before this one.
import { button, element, find } from "./dom.js";
import * as keep from "./keep.js";

const transports = { polling: ["polling"], websocket: ["websocket"] };
const transportNames = { polling: "long polling", websocket: "WebSocket", webtransport: "WebTransport" };
const query = new URLSearchParams(location.search);

let remark = ""; // what else there is to say while connected
let degraded = false;
let reason = "";
let socket;

function status(state, text) {
  find("status").dataset.state = state;
  find("status-text").textContent = text;
}

export function notice(title, text, ...more) {
  find("notice").replaceChildren(element("strong", "", title), element("span", "", text), ...more);
  find("notice").hidden = false;
}

export const calm = () => (find("notice").hidden = true);

/** The other server that the address asks for, if whoever serves the page allows it. */
function server() {
  const asked = query.get("server");
  if (!asked) return undefined;
  const allowed = document.querySelector("meta[name=fanfare-servers]").content.split(" ");
  const origin = URL.parse?.(asked)?.origin ?? asked.replace(/\/+$/, "");
  if (origin === location.origin) return undefined;
  if (!allowed.includes(origin)) throw new Error(`This page may not talk to ${origin}. Whoever serves it has to allow that: --page-server=${origin}`);
  return origin;
}

function connected() {
  const { name } = socket.io.engine.transport;
  const words = [`Connected over ${transportNames[name] ?? name}`, remark, degraded ? "messages are not kept at the moment" : ""];
  status(degraded ? "degraded" : "connected", words.filter(Boolean).join(" · "));
}

/** Says something behind "Connected". */
export function say(words) {
  remark = words;
  if (socket.connected) connected();
}

/** The state of the history, as the server tells it. */
export function history(state) {
  degraded = state === "degraded";
  if (socket.connected) connected();
}

/** Connects, and tells those who listen: on.connect(recovered), on.disconnect(). */
export function connect(on) {
  if (typeof io === "undefined") return missing();
  const chosen = query.get("transport");
  const options = { auth: (give) => give(keep.token() ? { token: keep.token() } : {}) };
  if (Object.hasOwn(transports, chosen)) options.transports = transports[chosen];
  try {
    const other = server();
    socket = other ? io(other, options) : io(options);
  } catch (e) {
    status("disconnected", "Not connected");
    notice("No connection.", e.message);
    return undefined;
  }

  socket.on("connect", () => {
    reason = remark = "";
    calm();
    connected();
    socket.io.engine.once("upgrade", connected);
    on.connect(socket.recovered);
  });

  socket.on("disconnect", (why) => {
    reason = why;
    on.disconnect();
    if (socket.active) status("reconnecting", `Connection lost (${why}). Reconnecting…`);
    else ended(why);
  });

  socket.on("connect_error", (error) => {
    if (!socket.active) return ended(error.message);
    status(reason ? "reconnecting" : "connecting", `No connection (${error.message}). Trying again…`);
  });

  socket.io.on("reconnect_attempt", (attempt) => {
    status("reconnecting", `Reconnecting, attempt ${attempt}${reason ? ` (${reason})` : ""}…`);
  });
  return socket;
}

// ended says that the client will not try again by itself.
function ended(why) {
  status("disconnected", `Disconnected (${why})`);
  const again = button("Connect again", () => {
    status("connecting", "Connecting…");
    socket.connect();
  });
  notice("The connection has ended.", `The reason given: ${why}. `, element("br"), again);
}

function missing() {
  status("disconnected", "The Socket.IO client did not load");
  notice(
    "The Socket.IO client did not load.",
    "The page could not fetch its client script. Check the network, or start the server with the npm package's files, then reload.",
  );
  for (const field of document.querySelectorAll("form :is(button, input, textarea)")) field.disabled = true;
  return undefined;
}
