// Values that JSON does not have, on the lines between Go and Node: {"$bin":"<base64>"} and {"$date":<ms since 1970>}.

// thaw turns what came from Go into what the server shall send.
export function thaw(value) {
  if (Array.isArray(value)) return value.map(thaw);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.$bin === "string") return Buffer.from(value.$bin, "base64");
  if (typeof value.$date === "number") return new Date(value.$date);
  return mapValues(value, thaw);
}

// freeze turns what the server has been given into what Go can read. A date is what JSON makes of it.
export function freeze(value) {
  if (Array.isArray(value)) return value.map(freeze);
  if (value === null || typeof value !== "object" || value instanceof Date) return value;
  if (value instanceof ArrayBuffer) return { $bin: Buffer.from(value).toString("base64") };
  if (ArrayBuffer.isView(value)) {
    return { $bin: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
  }
  return mapValues(value, freeze);
}

function mapValues(object, each) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, each(value)]));
}
