// Slow clients must not hurt the others: SENDERS write a message every EVERY, VUS healthy clients read over WebSocket, and
// SLOW clients read over polling, but do not poll for the middle third of the run. What they miss waits in the server; they
// get it when they poll again. The healthy ones' latency is measured before, during and after.
import exec from "k6/execution";
import { after, io } from "./socketio.js";
import { crowd, plan, read, write } from "./roles.js";
import { latency, number, requireServer, summaryTrendStats, time, url } from "./settings.js";

const vus = number("VUS", 50, 20);
const slow = number("SLOW", 50, 20);
const senders = number("SENDERS", 2);
const every = time("EVERY", "200ms");
const duration = time("DURATION", "45s", "9s");
const lead = time("LEAD", "5s", "3s"); // for everybody to connect
const size = number("PAYLOAD", 1024); // bytes of text

const count = Math.max(1, Math.floor(duration / every));
const third = duration / 3;
// Who does not poll answers no heartbeat either: servers give a client 20 s for that.
if (third > 20000) throw new Error("DURATION must be at most 60s: a third of it is spent without polling");

export const options = {
  summaryTrendStats,
  scenarios: {
    healthy: crowd("healthy", vus, lead, duration),
    slow: crowd("slowly", slow, lead, duration),
    senders: crowd("sender", senders, lead, duration),
  },
  thresholds: {
    checks: ["rate==1"],
    chat_deliveries: [`count==${(vus + slow + senders) * senders * count}`],
    "chat_delivery{reader:healthy,phase:before}": latency(100, 250),
    "chat_delivery{reader:healthy,phase:during}": latency(100, 250),
    "chat_delivery{reader:healthy,phase:after}": latency(100, 250),
    "chat_delivery{reader:slow,phase:during}": ["max>0"], // shown, not judged: it is as long as they waited
    chat_faults: ["count==0"],
    socketio_errors: ["count==0"],
  },
};

export function setup() {
  requireServer();
  return plan(lead, duration);
}

const phases = ["before", "during", "after"];

/** Tags of a message by when it was sent. */
function tags(run, reader) {
  const ofPhase = phases.map((phase) => ({ reader, phase }));
  return (sent) => ofPhase[Math.min(2, Math.floor((sent - run.begin) / third))];
}

export function healthy(run) {
  read(io(url, { transports: ["websocket"] }), run, senders * count, tags(run, "healthy"));
}

export function slowly(run) {
  const socket = io(url, { transports: ["polling"] });
  read(socket, run, senders * count, tags(run, "slow"));
  const cancels = [];
  const at = (time, act) => cancels.push(after(time - Date.now(), act));
  socket.on("connect", () => {
    at(run.begin + third, () => socket.stopReading());
    at(run.begin + 2 * third, () => socket.resumeReading());
  });
  socket.on("disconnect", () => cancels.forEach((cancel) => cancel()));
}

export function sender(run) {
  const number = exec.scenario.iterationInTest;
  const socket = io(url, { transports: ["websocket"] });
  read(socket, run, senders * count, tags(run, "sender"));
  write(socket, run, number, { count, every, size, offset: (number * every) / senders });
}
