// What the scripts of this folder are told by environment variables, with -e NAME=VALUE or without. SMOKE=1 makes every
// script a short, small run; variables that are set win over it.
import exec from "k6/execution";
import http from "k6/http";

const smoke = Boolean(__ENV.SMOKE) && __ENV.SMOKE !== "0";

/** The server's address, without path. */
export const url = (__ENV.URL || "http://localhost:3000").replace(/\/+$/, "");
if (!/^https?:\/\/[^/]+$/.test(url)) throw new Error(`URL must be like http://localhost:3000, not ${url}`);

/** A number above 0 by its name: usual is its default, small that of a smoke run. */
export function number(name, usual, small = usual) {
  const value = __ENV[name] ? Number(__ENV[name]) : smoke ? small : usual;
  if (!(value > 0)) throw new Error(`${name} must be a number above 0, not ${__ENV[name]}`);
  return value;
}

/** A time in ms by its name, given like 500ms, 30s or 2m. */
export function time(name, usual, small = usual) {
  const text = __ENV[name] || (smoke ? small : usual);
  const [, count, unit] = text.match(/^(\d+(?:\.\d+)?)(ms|s|m)$/) || [];
  if (!(Number(count) > 0)) throw new Error(`${name} must be a time like 500ms, 30s or 2m, not ${text}`);
  return Number(count) * { ms: 1, s: 1000, m: 60000 }[unit];
}

const ways = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] };

/** The client's transports, by the variable TRANSPORT. */
export const transports = ways[__ENV.TRANSPORT || "websocket"];
if (!transports) throw new Error(`TRANSPORT must be websocket, polling or upgrade, not ${__ENV.TRANSPORT}`);

/**
 * Thresholds of a latency in ms; the variables P95 and P99 change them. A smoke run asks whether all of it works, on machines
 * that have other things to do: it allows twenty times as much.
 */
export function latency(p95, p99) {
  return [`p(95)<${number("P95", p95, 20 * p95)}`, `p(99)<${number("P99", p99, 20 * p99)}`];
}

/** What the summary says of every time. */
export const summaryTrendStats = ["med", "p(95)", "p(99)", "max"];

/** Ends the test with one line where no Socket.IO server answers. For setup(). */
export function requireServer() {
  const address = `${url}/socket.io/?EIO=4&transport=polling`;
  const { status, body, error } = http.get(address, { tags: { name: "setup" } });
  if (status !== 200 || !body.startsWith("0{")) {
    exec.test.abort(`no Socket.IO server answers at ${url} (${error || `status ${status}`}); start one, or set URL`);
  }
  http.post(`${address}&sid=${JSON.parse(body.slice(1)).sid}`, "1", { tags: { name: "setup" } });
}
