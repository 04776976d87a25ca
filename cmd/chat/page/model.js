// What is known: rooms, what was said in them, and who is there. No elements here.
import * as keep from "./keep.js";

const kept = 1000; // messages of a room that stay in memory; older ones are the history's

/** One room; the lobby's name is empty. */
export class Room {
  constructor(name) {
    this.name = name;
    this.messages = []; // {id, at, text, name, from, mine, state?}, in the order of their ids
    this.ids = new Set();
    this.more = false; // the history has earlier ones
    this.loaded = false;
    this.unread = 0;
    this.people = { count: 0, names: [], ids: [] };
  }

  get title() {
    return this.name || "Lobby";
  }

  /** The latest id of a history; messages of a server without one have none. */
  get last() {
    return this.messages.findLast((m) => m.id)?.id;
  }

  get first() {
    return this.messages.find((m) => m.id)?.id;
  }

  /** Takes a message in where its id puts it, and returns its place; -1 where it is there already. */
  add(message) {
    if (message.id && this.ids.has(message.id)) return -1;
    if (message.id) this.ids.add(message.id);
    let at = this.messages.length;
    while (message.id && at > 0 && this.messages[at - 1].id > message.id) at--;
    this.messages.splice(at, 0, message);
    return at;
  }

  /** Lets the oldest go; they can be asked for again. Returns how many. */
  trim() {
    const gone = this.messages.splice(0, Math.max(0, this.messages.length - kept));
    for (const m of gone) this.ids.delete(m.id);
    if (gone.some((m) => m.id)) this.more = true;
    return gone.length;
  }

  forget() {
    this.messages = [];
    this.ids.clear();
    this.loaded = false;
  }
}

/** A message as the page keeps it, of a reply or of a history. */
export function message(text, meta, me) {
  const { id = "", at, room = "", from = "", name = "", user = "" } = meta ?? {};
  const mine = from ? from === me : keep.wrote(id);
  return { id, at: at ? new Date(at) : new Date(), text, room, from, name: name || user || "Somebody", mine };
}

/** An id that is a while before the given one: what came at about the same time may have come in another order, or to
 *  another server. See docs/chat.md. */
export function shortlyBefore(id, ms = 10_000) {
  const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // Crockford's base 32, of ULIDs
  if (!/^[0-9A-HJKMNP-TV-Z]{26}$/.test(id)) return id;
  let time = Math.max(0, [...id.slice(0, 10)].reduce((t, d) => t * 32 + digits.indexOf(d), 0) - ms);
  let text = "";
  for (let i = 0; i < 10; i++) {
    text = digits[time % 32] + text;
    time = Math.floor(time / 32);
  }
  return text + "0".repeat(16);
}
