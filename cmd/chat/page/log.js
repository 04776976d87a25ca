// The log: what was said in the room that is shown, by its days and writers.
import { element, find, hue, initial, linked, unseen } from "./dom.js";

const lines = find("lines");
const scroller = find("scroller");
const together = 5 * 60_000; // ms within which messages of one writer stand together
const words = { sent: ["✓", "Sent"], stored: ["✓✓", "Sent and stored"] };

let shown; // the room
let alike = () => ""; // the tag of a writer whose name another has, too

export const current = () => shown;
export const atEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 64;

export function toEnd() {
  scroller.scrollTop = scroller.scrollHeight;
  find("newer").hidden = true;
}

export function tellApart(tagOf) {
  alike = tagOf;
}

/** Shows a room from its end, or from where the reader is. */
export function show(room, stay) {
  const [end, top] = [atEnd(), scroller.scrollTop];
  shown = room;
  quietly(() => lines.replaceChildren(...room.messages.map(item)));
  decorate();
  empty();
  if (stay && !end) scroller.scrollTop = top;
  else toEnd();
}

/** Shows one more message of the room that is shown; index is its place. */
export function insert(m, index, follow) {
  const end = atEnd();
  const items = lines.querySelectorAll(".message");
  const fresh = item(m);
  if (index >= items.length) lines.append(fresh);
  else items[index].before(fresh);
  if (index >= items.length) decorateOne(items[items.length - 1], fresh);
  else decorate();
  if (end || shown.messages.length > 5000) drop(shown.trim()); // a reader further up keeps what there is
  empty();
  if (end || follow) toEnd();
  else find("newer").hidden = false;
}

/** Shows the messages that were put in front, without moving what the reader sees. */
export function prepend(count) {
  const [height, top] = [scroller.scrollHeight, scroller.scrollTop];
  quietly(() => lines.prepend(...shown.messages.slice(0, count).map(item)));
  decorate();
  empty();
  scroller.scrollTop = top + scroller.scrollHeight - height;
}

/** Shows a message's state anew. */
export function mark(m) {
  const line = [...lines.querySelectorAll(".mine")].findLast((e) => e.message === m);
  line?.querySelector(".state")?.replaceWith(state(m));
}

/** Shows how to tell writers apart, after that has changed. */
export function rename() {
  for (const line of lines.querySelectorAll(".message")) {
    const tag = line.querySelector(".tag");
    if (tag) tag.textContent = alike(line.message);
  }
}

export function empty() {
  const any = shown.messages.length + find("outbox").childElementCount > 0;
  find("empty").hidden = any || !shown.loaded;
  find("earlier").hidden = !shown.more;
  find("beginning").hidden = !any || shown.more || !shown.loaded || !shown.first;
}

function drop(count) {
  for (const line of [...lines.querySelectorAll(".message")].slice(0, count)) line.remove();
  if (count) decorate();
}

// quietly keeps screen readers from reading all of a room.
function quietly(change) {
  find("log").ariaLive = "off";
  change();
  requestAnimationFrame(() => (find("log").ariaLive = "polite"));
}

/** The bubble of a message. */
export function bubble(m, ...meta) {
  const text = element("p", "", ...linked(m.text));
  text.dir = "auto";
  return element("div", "bubble", m.mine ? unseen("You:") : writer(m), text, element("div", "meta", ...meta));
}

function writer(m) {
  return element("strong", "who", m.name, element("span", "tag", alike(m)), unseen(":"));
}

function item(m) {
  const line = element("li", m.mine ? "message mine" : "message");
  line.message = m;
  if (!m.mine) {
    const avatar = element("span", `avatar ${hue(m.name)}`, initial(m.name));
    avatar.ariaHidden = "true";
    line.append(avatar);
  }
  line.append(bubble(m, time(m.at), ...(m.mine ? [state(m)] : [])));
  return line;
}

function time(at) {
  const t = element("time", "", at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  t.dateTime = at.toISOString();
  t.title = at.toLocaleString();
  return t;
}

function state(m) {
  const [sign, title] = words[m.state] ?? ["", ""];
  const mark = element("span", "state", sign);
  if (!title) return mark;
  mark.title = title;
  mark.role = "img";
  mark.ariaLabel = title;
  return mark;
}

// decorate puts a line in front of each day, and writers' names where they begin.
function decorate() {
  for (const day of lines.querySelectorAll(".day")) day.remove();
  let before;
  for (const line of lines.querySelectorAll(".message")) {
    decorateOne(before, line);
    before = line;
  }
}

function decorateOne(before, line) {
  const [a, b] = [before?.message, line.message];
  const sameDay = a && a.at.toDateString() === b.at.toDateString();
  if (!sameDay) line.before(element("li", "day", element("span", "", day(b.at))));
  const same = sameDay && a.mine === b.mine && a.name === b.name && a.from === b.from && b.at - a.at < together;
  line.classList.toggle("continued", Boolean(same));
}

function day(at) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return at.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", year: "numeric" });
}

find("newer").addEventListener("click", () => {
  toEnd();
  find("message").focus();
});

scroller.addEventListener("scroll", () => {
  if (atEnd()) find("newer").hidden = true;
});
