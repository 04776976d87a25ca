// The adapters over Redis, and the two packages of clients for it that they take.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../clienttest/testdata/node/package.json", import.meta.url));
const { Redis } = require("ioredis");
const { createClient } = require("redis");
const classic = require("@socket.io/redis-adapter");
const streams = require("@socket.io/redis-streams-adapter");

// clients returns two connections: one to publish with, one to subscribe with.
export async function clients({ library, redis }) {
  if (library === "ioredis") {
    const pub = new Redis(redis, { retryStrategy: () => 50 });
    return [pub, pub.duplicate()].map(quiet);
  }
  const pub = createClient({ url: redis, socket: { reconnectStrategy: () => 50 } });
  const both = [pub, pub.duplicate()].map(quiet);
  await Promise.all(both.map((c) => c.connect()));
  return both;
}

// quiet keeps a lost connection, which the clients mend by themselves, from ending the process.
function quiet(client) {
  return client.on("error", () => {});
}

export function factory({ mode, prefix, options }, [pub, sub]) {
  switch (mode) {
    case "classic":
      return classic.createAdapter(pub, sub, { key: prefix, ...options });
    case "sharded":
      return classic.createShardedAdapter(pub, sub, { channelPrefix: prefix, ...options });
    case "streams":
      return streams.createAdapter(pub, {
        streamName: prefix,
        channelPrefix: prefix,
        sessionKeyPrefix: `${prefix}:session:`,
        blockTimeInMs: 500,
        ...options,
      });
    default:
      throw new Error(`no adapter ${mode}`);
  }
}
