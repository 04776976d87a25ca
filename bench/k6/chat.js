// The chat's contract, and the book that every client keeps of it: what is emitted as "chatMessage" comes back to everybody
// as "reply", once, and in the order in which each writer wrote it.
import { Counter, Trend } from "k6/metrics";

const delivery = new Trend("chat_delivery", true); // ms from a writer's emit to a reader's network
const deliveries = new Counter("chat_deliveries"); // messages that came, each counted once per reader
const faults = new Counter("chat_faults"); // by kind: lost, doubled or disordered

/** A text of about size bytes that says who wrote it, in which run, when, and which of its writer's it is, from 0. */
export function compose(number, run, writer, size) {
  return `${String(number).padStart(8, "0")} ${run} ${writer} ${Date.now()} `.padEnd(size, ".");
}

/** A word that tells the messages of this run from all others in the chat. */
export function newRun() {
  return Math.random().toString(36).slice(2, 10).padEnd(8, "0");
}

/** What one reader received in one run, of one writer or of all. */
export class Book {
  constructor(run, only) {
    this.run = run;
    this.only = only;
    this.next = new Map(); // writer -> number of the message that should come next
    this.missing = new Set(); // "writer number" of those that were passed over
    this.received = 0;
  }

  /** Notes a text that came at a time, in ms. The tags are those of its latency; a function gets when it was sent. */
  enter(text, at, tags) {
    const [number, run, writer, sent] = text.split(" ", 4);
    if (run !== this.run || (this.only !== undefined && writer !== this.only)) return;
    if (!this.counts(writer, Number(number))) return;
    this.received++;
    // Two clocks' roundings may put an arrival up to 1 ms before its departure.
    delivery.add(Math.max(0, at - Number(sent)), typeof tags === "function" ? tags(Number(sent)) : tags);
  }

  /** Whether the message is new. */
  counts(writer, number) {
    const next = this.next.get(writer) || 0;
    if (number < next) {
      const late = this.missing.delete(`${writer} ${number}`);
      faults.add(1, { kind: late ? "disordered" : "doubled" });
      return late;
    }
    for (let passed = next; passed < number; passed++) this.missing.add(`${writer} ${passed}`);
    this.next.set(writer, number + 1);
    return true;
  }

  /** Ends the book of a reader that should have received so many. */
  close(expected) {
    deliveries.add(this.received);
    if (this.received < expected) faults.add(expected - this.received, { kind: "lost" });
  }
}
