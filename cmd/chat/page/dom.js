// What every other module makes elements with. Text only: what somebody wrote never becomes markup.

export const find = (id) => document.getElementById(id);

export function element(name, className, ...content) {
  const e = document.createElement(name);
  if (className) e.className = className;
  e.append(...content.filter((part) => part !== undefined && part !== ""));
  return e;
}

export function button(text, press, className) {
  const b = element("button", className, text);
  b.type = "button";
  b.addEventListener("click", press);
  return b;
}

/** Somebody's words for those who cannot see where a message stands. */
export const unseen = (text) => element("span", "unseen", text);

/** A text with its web addresses as links. */
export function linked(text) {
  const address = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(address)) {
    const link = element("a", "", found[0]);
    link.href = found[0];
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    parts.push(text.slice(end, found.index), link);
    end = found.index + found[0].length;
  }
  parts.push(text.slice(end));
  return parts;
}

/** One of eight colours for whoever has this name. */
export function hue(name) {
  let sum = 0;
  for (const c of name) sum = (sum * 31 + c.codePointAt(0)) % 1000003;
  return `hue-${sum % 8}`;
}

export function initial(name) {
  return [...name.trim()][0]?.toLocaleUpperCase() ?? "?";
}
