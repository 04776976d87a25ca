// Clients that all come at once: RATE handshakes per second, each a new connection that stays for STAY. Measured is the time
// from dialling to the server's CONNECT.
import { check } from "k6";
import { after, io } from "./socketio.js";
import { latency, number, requireServer, summaryTrendStats, time, transports, url } from "./settings.js";

const rate = number("RATE", 200, 50); // per second
const duration = time("DURATION", "30s", "5s");
const stay = time("STAY", "1s");
const vus = number("VUS", Math.ceil((rate * (stay + 1000)) / 1000)); // enough where a handshake takes less than 1 s

export const options = {
  summaryTrendStats,
  scenarios: {
    storm: {
      executor: "constant-arrival-rate",
      rate,
      duration: `${duration}ms`,
      preAllocatedVUs: vus,
      gracefulStop: `${stay + 25000}ms`,
    },
  },
  thresholds: {
    checks: ["rate==1"],
    dropped_iterations: ["count==0"], // k6 had no client left: the server was too slow, or VUS is too small
    socketio_connected: [`count>=${Math.floor((rate * duration * 0.98) / 1000)}`],
    socketio_connecting: latency(100, 250),
    socketio_errors: ["count==0"],
  },
};

export const setup = requireServer;

export default function () {
  const socket = io(url, { transports });
  const connected = (yes) => check(yes, { connected: (y) => y });
  socket.on("connect", () => {
    connected(true);
    after(stay, () => socket.disconnect());
  });
  socket.on("connect_error", () => connected(false));
}
