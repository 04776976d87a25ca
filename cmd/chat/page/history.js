// What was said before: the latest when a room is entered, earlier ones on the way up, and what was missed meanwhile.
import { find } from "./dom.js";
import * as connection from "./connection.js";
import * as log from "./log.js";
import { message, shortlyBefore } from "./model.js";

const scroller = find("scroller");
const atOnce = 200; // messages of one answer, the server's bound
const rounds = 5; // answers after which a gap is too large: then the latest is what counts

let loading = false;

/** Brings a room up to date: what came after its latest message, or the latest there is. Returns how many were missed. */
export async function catchUp(room, ask, { me, arrived }) {
  let missed = 0;
  let after = room.last && shortlyBefore(room.last);
  for (let round = 0; after && round < rounds; round++) {
    const answer = await ask("history", { room: room.name, after, limit: atOnce });
    if (answer.error) return failed(room);
    missed += take(room, answer, me, arrived).length;
    if (!answer.more) return finished(room, answer, missed);
    after = answer.messages.at(-1).id;
  }
  const answer = await ask("history", { room: room.name });
  if (answer.error) return failed(room);
  if (after) room.forget();
  const before = room.messages.length;
  take(room, answer, me, arrived);
  if (before === 0 || after) room.more = answer.more;
  return finished(room, answer, after ? missed : 0);
}

function finished(room, answer, missed) {
  connection.history(answer.state);
  room.loaded = true;
  room.trim();
  return missed;
}

function failed(room) {
  connection.history("degraded");
  room.loaded = true;
  return 0;
}

// take puts messages of an answer into the room, and returns those that are new.
function take(room, answer, me, arrived) {
  return answer.messages.filter((line) => {
    if (room.ids.has(line.id)) return false;
    const m = message(line.text, line, me);
    arrived?.(m);
    if (m.mine) m.state = "stored";
    return room.add(m) >= 0;
  });
}

/** Asks for earlier messages when the reader comes near the beginning, or presses the button. */
export function listen(ask, me) {
  const earlier = async (focus) => {
    const room = log.current();
    if (loading || !room.more || !room.loaded) return;
    loading = true;
    try {
      const answer = await ask(room);
      if (!answer || answer.error) return;
      const fresh = take(room, answer, me());
      room.more = answer.more;
      if (room === log.current()) log.prepend(fresh.length);
      if (focus) scroller.focus({ preventScroll: true });
    } catch {
      // the connection is gone: the next scroll asks again
    } finally {
      loading = false;
    }
  };
  find("earlier").addEventListener("click", () => earlier(true));
  scroller.addEventListener("scroll", () => scroller.scrollTop < 120 && earlier(false));
}
