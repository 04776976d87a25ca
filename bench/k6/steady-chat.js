// A busy room: VUS people who each write a message every EVERY and read everybody's. Measured is the time from a writer's
// emit to each reader's network; every reader checks that it got every message once and in order.
import exec from "k6/execution";
import { io } from "./socketio.js";
import { crowd, plan, read, write } from "./roles.js";
import { latency, number, requireServer, summaryTrendStats, time, transports, url } from "./settings.js";

const vus = number("VUS", 100, 30);
const every = time("EVERY", "3s", "1s");
const duration = time("DURATION", "1m", "5s");
const lead = time("LEAD", "5s", "3s"); // for everybody to connect
const size = number("PAYLOAD", 128); // bytes of text

const count = Math.max(1, Math.floor(duration / every));

export const options = {
  summaryTrendStats,
  scenarios: { people: crowd("person", vus, lead, duration) },
  thresholds: {
    checks: ["rate==1"],
    chat_deliveries: [`count==${vus * vus * count}`],
    chat_delivery: latency(100, 250),
    chat_faults: ["count==0"],
    socketio_errors: ["count==0"],
  },
};

export function setup() {
  requireServer();
  return plan(lead, duration);
}

export function person(run) {
  const number = exec.scenario.iterationInTest;
  const socket = io(url, { transports });
  read(socket, run, vus * count);
  // Spread over the interval: people do not write in step.
  write(socket, run, number, { count, every, size, offset: (number * every) / vus });
}
