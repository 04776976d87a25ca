// Few write, many listen: SENDERS clients each write a message every EVERY, and VUS listeners count what they get. Nothing
// may be lost, doubled or out of order. Measured is the time from a sender's emit to each listener's network.
import exec from "k6/execution";
import { io } from "./socketio.js";
import { crowd, plan, read, write } from "./roles.js";
import { latency, number, requireServer, summaryTrendStats, time, transports, url } from "./settings.js";

const vus = number("VUS", 200, 50);
const senders = number("SENDERS", 4, 2);
const every = time("EVERY", "250ms", "200ms");
const duration = time("DURATION", "30s", "5s");
const lead = time("LEAD", "5s", "3s"); // for everybody to connect
const size = number("PAYLOAD", 128); // bytes of text

const count = Math.max(1, Math.floor(duration / every));

export const options = {
  summaryTrendStats,
  scenarios: {
    listeners: crowd("listener", vus, lead, duration),
    senders: crowd("sender", senders, lead, duration),
  },
  thresholds: {
    checks: ["rate==1"],
    chat_deliveries: [`count==${(vus + senders) * senders * count}`],
    chat_delivery: latency(100, 250),
    chat_faults: ["count==0"],
    socketio_errors: ["count==0"],
  },
};

export function setup() {
  requireServer();
  return plan(lead, duration);
}

export function listener(run) {
  read(io(url, { transports }), run, senders * count);
}

export function sender(run) {
  const number = exec.scenario.iterationInTest;
  const socket = io(url, { transports });
  read(socket, run, senders * count); // a sender is a listener too
  write(socket, run, number, { count, every, size, offset: (number * every) / senders });
}
