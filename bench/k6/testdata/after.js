// after() keeps its time where k6's setTimeout does not: another timer is cleared in the moment it is due.
import { check } from "k6";
import { after } from "../socketio.js";

export const options = { thresholds: { checks: ["rate==1"] } };

export default function () {
  const began = Date.now();
  const cancel = after(50, () => {});
  after(1000, () => check(Date.now() - began, { "1000 ms take 1000 ms": (ms) => ms >= 999 }));
  while (Date.now() < began + 100); // until the first timer is due and has not had its turn
  cancel();
}
