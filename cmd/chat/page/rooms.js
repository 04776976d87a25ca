// The rooms: which there are here, which one is shown, and what is unread in the others.
import { button, element, find } from "./dom.js";
import * as keep from "./keep.js";
import { Room } from "./model.js";

const list = find("rooms");
const base = document.title;
const lobby = new Room("");
const rooms = new Map([["", lobby]]);
let shown = lobby;
let leave = () => {};

export const current = () => shown;
export const all = () => [...rooms.values()];
export const get = (name) => rooms.get(name);
export const address = (name) => (name ? `#${encodeURIComponent(name)}` : "#");

/** The room that the page's address names; empty for the lobby. */
export function addressed() {
  try {
    return decodeURIComponent(location.hash.slice(1)).trim();
  } catch {
    return location.hash.slice(1);
  }
}

export function onLeave(left) {
  leave = left;
}

export function add(name) {
  const room = rooms.get(name) ?? new Room(name);
  rooms.set(name, room);
  remember();
  show();
  return room;
}

export function remove(room) {
  rooms.delete(room.name);
  remember();
  show();
}

export function enter(room) {
  shown = room;
  room.unread = 0;
  find("room-title").textContent = room.title;
  find("message-label").textContent = room.name ? `Message to ${room.name}` : "Message to the lobby";
  show();
}

const remember = () => keep.keepRooms([...rooms.keys()].filter(Boolean));

/** Shows the list; the focus stays where it is. */
export function show() {
  const focused = document.activeElement?.closest("#rooms a")?.hash;
  list.replaceChildren(...all().map(entry));
  if (focused !== undefined) [...list.querySelectorAll("a")].find((a) => a.hash === focused)?.focus();
  const unread = all().reduce((sum, room) => sum + room.unread, 0);
  find("elsewhere").hidden = unread === 0;
  find("elsewhere").replaceChildren(count(unread));
  document.title = (unread ? `(${count(unread)}) ` : "") + (shown.name ? `${shown.name} · ` : "") + base;
}

const count = (n) => (n > 99 ? "99+" : String(n));

function entry(room) {
  const link = element("a", "", element("span", "room", room.title));
  link.href = address(room.name);
  if (room === shown) link.ariaCurrent = "page";
  if (room.unread) {
    const unread = element("span", "unread", count(room.unread));
    unread.ariaLabel = `${room.unread} unread`;
    unread.role = "img";
    link.append(unread);
  }
  const item = element("li", "", link);
  if (room.name) {
    const gone = button("×", () => leave(room), "icon leave");
    gone.ariaLabel = `Leave ${room.name}`;
    item.append(gone);
  }
  return item;
}

// Up and down walk the list, as in lists elsewhere.
list.addEventListener("keydown", (e) => {
  const links = [...list.querySelectorAll("a")];
  const at = links.indexOf(e.target.closest("a"));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[e.key];
  if (at < 0 || to === undefined) return;
  e.preventDefault();
  links[Math.min(Math.max(to, 0), links.length - 1)].focus();
});
