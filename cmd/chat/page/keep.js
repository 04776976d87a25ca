// What the browser keeps for the next visit. Where it may keep nothing (private windows), the page works without.

function through(storage, use) {
  try {
    return use(storage());
  } catch {
    return undefined;
  }
}

const local = () => localStorage;
const session = () => sessionStorage;

export const token = () => through(local, (s) => s.getItem("fanfare-token")) ?? "";
export const name = () => through(local, (s) => s.getItem("fanfare-name")) ?? "";
export const keepName = (n) => through(local, (s) => s.setItem("fanfare-name", n));

/** The rooms of last time. */
export function rooms() {
  const kept = through(local, (s) => JSON.parse(s.getItem("fanfare-rooms") ?? "[]"));
  return Array.isArray(kept) ? kept.filter((r) => typeof r === "string" && r).slice(0, 50) : [];
}

export const keepRooms = (list) => through(local, (s) => s.setItem("fanfare-rooms", JSON.stringify(list)));

/** The ids of messages that were written in this tab: a history does not say which. */
const written = new Set(through(session, (s) => JSON.parse(s.getItem("fanfare-written") ?? "[]")) ?? []);

export const wrote = (id) => written.has(id);

export function keepWritten(id) {
  written.add(id);
  if (written.size > 500) written.delete(written.values().next().value);
  through(session, (s) => s.setItem("fanfare-written", JSON.stringify([...written])));
}

/** Calls back when another tab has chosen a name. */
export function onName(heard) {
  addEventListener("storage", (e) => e.key === "fanfare-name" && e.newValue && heard(e.newValue));
}
