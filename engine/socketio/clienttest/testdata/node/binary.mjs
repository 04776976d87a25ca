// Binary values have no place in JSON: on the lines between Go and Node they are {"$bin":"<base64>"}, at any depth.

// unpack turns what came from Go into what the client shall send.
export function unpack(value) {
  if (Array.isArray(value)) return value.map(unpack);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.$bin === "string") return Buffer.from(value.$bin, "base64");
  return mapValues(value, unpack);
}

// pack turns what the client received into what Go can read.
export function pack(value) {
  if (Array.isArray(value)) return value.map(pack);
  if (value === null || typeof value !== "object") return value;
  if (value instanceof ArrayBuffer) return { $bin: Buffer.from(value).toString("base64") };
  if (ArrayBuffer.isView(value)) {
    return { $bin: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
  }
  return mapValues(value, pack);
}

function mapValues(object, each) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, each(value)]));
}
