// What a front end does with either server. Prints a line for whatever it learns.
const { io } = require("socket.io-client-4.8");
const url = process.argv[2];
const say = (...what) => console.log(JSON.stringify(what));
const options = { forceNew: true, transports: ["websocket"], reconnectionDelay: 50, reconnectionDelayMax: 50 };
const open = (name, token = "secret") => io(url, { ...options, auth: { name, token } });
const next = (socket, event) => new Promise((resolve) => socket.once(event, (...args) => resolve(args)));

// what(args) without the offset, which servers with recovery append and clients pass on.
const words = (args, n) => args.slice(0, n);

async function main() {
  const stranger = open("eve", "guess");
  say("refused", (await next(stranger, "connect_error"))[0].message);
  stranger.close();

  const ann = open("ann");
  say("welcome", words(await next(ann, "welcome"), 2));
  const bob = open("bob");
  say("welcome", words(await next(bob, "welcome"), 2));
  say("who", await ann.emitWithAck("who"));

  const replies = [next(ann, "reply"), next(bob, "reply")];
  ann.emit("chatMessage", "hello");
  for (const reply of replies) say("reply", words(await reply, 1));

  bob.on("question", (question, answer) => answer(`${question}? 42`));
  say("quiz", await ann.emitWithAck("quiz", "6 x 7"));

  const typing = next(ann, "typing");
  bob.emit("typing");
  say("typing", words(await typing, 1));

  // Bob's connection is lost, and what is said meanwhile reaches him all the same.
  const left = next(ann, "left");
  const [missed, back] = [next(bob, "reply"), next(bob, "connect")];
  bob.io.engine.close();
  say("left", words(await left, 2));
  ann.emit("chatMessage", "are you there?");
  await back;
  say("missed", words(await missed, 1), bob.recovered);
  say("who", await ann.emitWithAck("who"));

  const gone = next(ann, "left");
  bob.disconnect();
  say("left", words(await gone, 2));
  ann.close();
}

main().catch((fault) => {
  console.error(fault);
  process.exit(1);
});
