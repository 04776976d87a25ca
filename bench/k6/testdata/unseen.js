// The server's open packet never comes: k6 dropped it.
import { io } from "../socketio.js";
import { url } from "../settings.js";

export const options = { thresholds: { socketio_connected: ["count==1"], socketio_unseen: ["count==1"], socketio_errors: ["count==0"] } };

export default function () {
  const socket = io(url, { transports: ["websocket"] });
  socket.on("connect", () => socket.disconnect());
}
