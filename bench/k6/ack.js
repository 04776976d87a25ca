// Round trips: VUS clients each emit a message with a callback, and the next one EVERY after the acknowledgement. Measured is
// the time from emit to acknowledgement. The chat acknowledges behind its reply, which every client checks.
import { check } from "k6";
import exec from "k6/execution";
import { after, io } from "./socketio.js";
import { compose } from "./chat.js";
import { crowd, plan } from "./roles.js";
import { latency, number, requireServer, summaryTrendStats, time, transports, url } from "./settings.js";

const vus = number("VUS", 20, 10);
const every = time("EVERY", "500ms", "200ms");
const duration = time("DURATION", "30s", "5s");
const size = number("PAYLOAD", 128); // bytes of text
const ackTimeout = time("ACK_TIMEOUT", "10s", "5s");

export const options = {
  summaryTrendStats,
  scenarios: { clients: crowd("client", vus, 0, duration) },
  thresholds: {
    checks: ["rate==1"],
    socketio_ack: latency(50, 100),
    socketio_connected: [`count==${vus}`],
    socketio_errors: ["count==0"],
  },
};

export function setup() {
  requireServer();
  return plan(0, duration);
}

export function client(run) {
  const socket = io(url, { transports, ackTimeout });
  const writer = exec.scenario.iterationInTest;
  let asked = 0;
  let answered = 0;
  let last; // text that came back
  let cancel = () => {};

  const ask = () => {
    if (Date.now() > run.end) return socket.disconnect();
    const text = compose(asked++, run.id, writer, size);
    socket.emit("chatMessage", text, () => {
      answered++;
      check(last, { "acknowledged behind its reply": (l) => l === text });
      cancel = after(every, ask);
    });
  };
  const cancelGiven = after(run.end - Date.now() + ackTimeout + 1000, () => socket.disconnect());

  socket.on("connect", ask);
  socket.on("reply", (text) => {
    if (text.split(" ", 3)[2] === String(writer) && text.includes(run.id)) last = text;
  });
  const done = () => {
    cancel();
    cancelGiven();
    check(socket, { "every message acknowledged once": () => asked > 0 && answered === asked });
  };
  socket.on("disconnect", done);
  socket.on("connect_error", done);
}
