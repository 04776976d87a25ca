// The chat page: joins the parts. docs/chat.md is the contract with the server.
import { find } from "./dom.js";
import * as keep from "./keep.js";
import * as connection from "./connection.js";
import * as drawers from "./drawers.js";
import * as history from "./history.js";
import * as log from "./log.js";
import * as login from "./login.js";
import * as outbox from "./outbox.js";
import * as people from "./people.js";
import * as rooms from "./rooms.js";
import * as typing from "./typing.js";
import { message } from "./model.js";

let me = ""; // the id that the server gave this page
let ready = false; // joined everything again, and caught up
let missed = 0; // messages that came while it caught up
let turn = 0; // of connecting
let socket;

const field = find("message");

// --- what the server says --------------------------------------------------------------------------------------

function received(text, meta) {
  const m = message(typeof text === "string" ? text : JSON.stringify(text), typeof meta === "object" ? meta : undefined, me);
  const room = rooms.get(m.room);
  if (!room || room.ids.has(m.id)) return;
  outbox.arrived(m);
  typing.done(m.from);
  const apart = people.meet(m.name, m.from);
  const at = room.add(m);
  if (!ready && !m.mine) missed++;
  if (room === rooms.current()) log.insert(m, at, m.mine);
  else room.trim();
  if (apart) log.rename();
  if (!m.mine && (room !== rooms.current() || document.hidden)) {
    room.unread++;
    rooms.show();
  }
}

function present(who) {
  const room = rooms.get(who.room ?? "");
  if (!room || who.error) return;
  people.update(room, who);
  if (who.you) met(who.you);
  if (room === rooms.current()) people.show(room, me);
}

function met(you) {
  me = you.id;
  outbox.signed(you.name);
  find("name").value = document.activeElement === find("name") ? find("name").value : you.name;
  find("name").placeholder = you.name;
}

// --- connecting ------------------------------------------------------------------------------------------------

const ask = (event, ...args) => socket.timeout(10_000).emitWithAck(event, ...args);

async function connected(recovered) {
  const mine = ++turn;
  missed = 0;
  ready = false;
  const done = recovered ? resume() : begin();
  outbox.flush(); // behind the name
  try {
    await done;
  } catch {
    return; // the connection is gone again, or the server has another contract
  } finally {
    if (mine === turn && socket.connected) settle(recovered);
  }
}

// settle: from here on what is sent can be told from what was lost.
function settle(recovered) {
  ready = true;
  outbox.flush();
  if (recovered) connection.say(`recovered, ${missed} missed message${missed === 1 ? "" : "s"}`);
  else if (missed) connection.say(`caught up with ${missed} missed message${missed === 1 ? "" : "s"}`);
}

// resume: the server has kept name, rooms and what was missed, which comes in front of the first answer.
async function resume() {
  for (const room of rooms.all()) present(await ask("who", room.name));
}

async function begin() {
  if (keep.name()) await ask("setName", keep.name());
  present(await ask("who", ""));
  for (const room of rooms.all()) if (room.name && !(await join(room.name))) rooms.remove(room);
  for (const room of rooms.all()) missed += await history.catchUp(room, ask, { me, arrived: outbox.arrived });
  if (!rooms.get(rooms.current().name)) goTo("");
  log.show(rooms.current(), true);
  outbox.show(rooms.current());
}

function disconnected() {
  ready = false;
  outbox.cut();
}

// --- rooms -----------------------------------------------------------------------------------------------------

async function join(name) {
  const answer = await ask("join", name);
  find("join-error").textContent = answer.error ?? "";
  if (answer.error) return undefined;
  const room = rooms.add(answer.room ?? name);
  present(answer);
  return room;
}

// follow shows the room that the address names, and joins it where that is necessary.
async function follow() {
  const name = rooms.addressed();
  let room = rooms.get(name);
  try {
    if (!room && socket?.connected) room = await join(name);
    else if (!room) room = rooms.add(name); // joined with the others, once there is a connection
  } catch {
    find("join-error").textContent = "The server did not answer.";
  }
  if (!room) return goTo(rooms.current().name);
  enter(room);
  if (!room.loaded && socket?.connected) {
    await history.catchUp(room, ask, { me, arrived: outbox.arrived }).catch(() => 0);
    if (room === rooms.current()) enter(room);
  }
}

function enter(room) {
  typing.stopped();
  rooms.enter(room);
  log.show(room);
  outbox.show(room);
  people.show(room, me);
  typing.show();
}

function goTo(name) {
  if (rooms.addressed() !== name) location.hash = rooms.address(name);
  else follow();
}

rooms.onLeave((room) => {
  rooms.remove(room);
  socket?.emit("leave", room.name);
  if (room === rooms.current()) goTo("");
  document.querySelector("#rooms a[aria-current]")?.focus();
});

// --- what the user does ----------------------------------------------------------------------------------------

function listen() {
  find("composer").addEventListener("submit", (e) => {
    e.preventDefault();
    const text = field.value.trim();
    if (text) outbox.post(text, rooms.current().name);
    field.value = "";
    typing.stopped();
    field.focus();
  });
  field.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
    e.preventDefault();
    find("composer").requestSubmit();
  });
  field.addEventListener("input", () => typing.wrote(field.value, rooms.current().name));

  find("join").addEventListener("submit", async (e) => {
    e.preventDefault();
    const input = find("room-name");
    const name = input.value.trim();
    if (!name) return input.focus();
    goTo(name);
    input.value = "";
    drawers.close();
    field.focus();
  });
  find("rename").addEventListener("submit", async (e) => {
    e.preventDefault();
    const answer = await ask("setName", find("name").value).catch(() => ({ error: "The server did not answer." }));
    find("rename-error").textContent = answer.error ?? "";
    if (answer.error) return find("name").focus();
    keep.keepName(answer.name);
    find("name").value = answer.name;
    met(answer);
    drawers.close();
    field.focus();
  });
  find("rooms").addEventListener("click", (e) => {
    if (!e.target.closest("a")) return;
    drawers.close();
    field.focus();
  });
  keep.onName(async (name) => socket.connected && met(await ask("setName", name)));

  history.listen((room) => (socket.connected ? ask("history", { room: room.name, before: room.first }) : undefined), () => me);
  addEventListener("hashchange", follow);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !rooms.current().unread) return;
    rooms.current().unread = 0;
    rooms.show();
  });
  find("skip").addEventListener("click", (e) => {
    e.preventDefault(); // the address is a room's
    field.focus();
  });
}

function start() {
  for (const name of keep.rooms()) rooms.add(name);
  if (rooms.addressed()) rooms.add(rooms.addressed());
  enter(rooms.get(rooms.addressed()));
  socket = connection.connect({ connect: connected, disconnect: disconnected });
  if (!socket) return;
  outbox.over(socket, (room) => !room || ready);
  typing.over(socket);
  login.over(socket);
  socket.on("reply", received);
  socket.on("presence", present);
  socket.on("typing", typing.heard);
  listen();
}

start();
