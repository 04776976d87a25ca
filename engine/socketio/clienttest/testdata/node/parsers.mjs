// The npm parsers by themselves, without a connection: one packet as both of them write it.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const plain = new (require("socket.io-parser").Encoder)();
const msgpack = require("socket.io-msgpack-parser");

// encodePacket writes a packet whose data come from Go, with {"$bin"}, {"$date"} and {"$undefined"} in them.
export function encodePacket(packet) {
  packet = { ...packet, data: revive(packet.data) };
  const [message] = new msgpack.Encoder().encode(packet);
  return { message: message.toString("base64"), ...asText(packet) };
}

// decodeMsgpack reads a message of msgpack and writes the packet as text.
export function decodeMsgpack(message) {
  let packet;
  const decoder = new msgpack.Decoder();
  decoder.on("decoded", (p) => (packet = p));
  try {
    decoder.add(Buffer.from(message, "base64"));
  } catch (fault) {
    return { error: String(fault) };
  }
  return asText(packet);
}

function asText(packet) {
  const [text, ...attachments] = plain.encode(packet);
  return { text, attachments: attachments.map((b) => Buffer.from(b).toString("base64")) };
}

function revive(value) {
  if (Array.isArray(value)) return value.map(revive);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.$bin === "string") return Buffer.from(value.$bin, "base64");
  if (typeof value.$date === "number") return new Date(value.$date);
  if (value.$undefined) return undefined;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, revive(each)]));
}
