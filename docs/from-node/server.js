const { Server } = require("socket.io");
const io = new Server(process.env.PORT ?? 3000, { connectionStateRecovery: {} });

io.use((socket, next) => {
  const { name, token } = socket.handshake.auth;
  if (token !== "secret") return next(new Error("not authorised"));
  socket.data.name = name;
  next();
});

io.on("connection", (socket) => {
  if (!socket.recovered) socket.join("lobby");
  socket.emit("welcome", socket.data.name, socket.recovered);
  socket.on("chatMessage", (text) => io.to("lobby").emit("reply", { from: socket.data.name, text }));
  socket.on("typing", () => socket.to("lobby").volatile.emit("typing", socket.data.name));
  socket.on("who", async (answer) => {
    const sockets = await io.in("lobby").fetchSockets();
    answer(sockets.map((s) => s.data.name).sort());
  });
  socket.on("quiz", async (question, answer) => {
    answer((await socket.to("lobby").timeout(5000).emitWithAck("question", question)).sort());
  });
  socket.on("disconnect", (reason) => socket.to("lobby").emit("left", socket.data.name, reason));
});
