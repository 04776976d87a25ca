// The end of a login. The page has no login of its own: whoever embeds it puts a token into localStorage, as
// "fanfare-token", and may put another one there when it hears "fanfare:expiring".
import { notice } from "./connection.js";
import * as keep from "./keep.js";

export function over(socket) {
  let used = "";
  socket.on("connect", () => (used = keep.token()));

  socket.on("expiring", ({ at } = {}) => {
    dispatchEvent(new CustomEvent("fanfare:expiring", { detail: { at } }));
    const fresh = keep.token();
    if (fresh && fresh !== used) refresh(fresh);
  });

  const refresh = (token) =>
    socket.timeout(10_000).emit("refresh", token, (late, answer) => {
      if (late || answer?.error) notice("Your login ends soon.", answer?.error ?? "The server did not answer.");
      else used = token;
    });

  // A token that arrives late, from this page or another tab, is used at once.
  addEventListener("storage", (e) => e.key === "fanfare-token" && e.newValue && e.newValue !== used && socket.connected && refresh(e.newValue));
}
