// Who is here: the list of a room, and the tags of those whose names are alike.
import { element, find, hue, initial } from "./dom.js";
import * as log from "./log.js";

const seen = new Map(); // name -> ids of those who had it

/** Notes who has a name. Reports whether somebody has to be told from another from now on. */
export function meet(name, id) {
  if (!name || !id) return false;
  const ids = seen.get(name) ?? seen.set(name, new Set()).get(name);
  const before = ids.size;
  if (ids.size < 100) ids.add(id);
  if (seen.size > 2000) seen.delete(seen.keys().next().value);
  return before === 1 && ids.size === 2;
}

/** A few characters that tell a writer from another of the same name; nothing where there is none. */
export function tag({ name, from }) {
  return from && seen.get(name)?.size > 1 ? ` ·${from.slice(0, 4)}` : "";
}

log.tellApart(tag);

/** Takes in who is in a room. */
export function update(room, { count, names = [], ids = [] }) {
  room.people = { count, names, ids };
  let apart = false;
  names.forEach((name, i) => (apart = meet(name, ids[i]) || apart));
  if (apart) log.rename();
}

/** Shows who is in a room; me is the id of whoever looks. */
export function show(room, me) {
  const { count, names, ids } = room.people;
  find("people-count").textContent = count.toLocaleString();
  find("people-number").textContent = count.toLocaleString();
  const order = names.map((name, i) => ({ name, from: ids[i] })).sort((a, b) => (b.from === me) - (a.from === me) || a.name.localeCompare(b.name));
  const items = order.map((p) => person(p, p.from === me));
  if (count > names.length && names.length) items.push(element("li", "others", `and ${(count - names.length).toLocaleString()} more`));
  find("people").replaceChildren(...items);
}

function person(p, me) {
  const avatar = element("span", `avatar ${hue(p.name)}`, initial(p.name));
  avatar.ariaHidden = "true";
  return element("li", "", avatar, element("span", "who", p.name, element("span", "tag", tag(p))), me ? element("span", "you", "(you)") : "");
}
