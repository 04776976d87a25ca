// Any number of Node's Socket.IO servers for the Go tests, each connected with others by an adapter over Redis. A test
// gives orders in the words of order_test.go; clienttest's lines.mjs says how they travel.
import { serve } from "../../../clienttest/testdata/node/lines.mjs";
import { House } from "./house.mjs";

// A publish that fails for want of a connection is nobody's to catch in the adapters.
process.on("unhandledRejection", (fault) => {
  if (!/[Cc]onnection|[Ss]ocket|closed|ECONN|[Dd]isconnect/.test(fault?.message)) throw fault;
});

const houses = new Map();

function house(name) {
  if (!houses.has(name)) throw new Error(`no server ${name}`);
  return houses.get(name);
}

serve({
  async open(request) {
    houses.set(request.name, await House.open(request));
    return { url: house(request.name).url };
  },
  async close({ name }) {
    await house(name).close();
    houses.delete(name);
  },
  order: ({ name, order }) => house(name).obey(order),
});
