// A tintype bundle's own facts, read from the ONNX file: ONNX Runtime for the web does not tell them.

const METADATA_PROPS = 14; // field of onnx.ModelProto: key and value, as fields 1 and 2

/**
 * What a bundle says of itself, such as `input_size` and `temperature`.
 * @param {Uint8Array} file the .onnx
 * @returns {object} throws an Error with one line for people where it is not a tintype bundle
 */
export function metadataOf(file) {
  try {
    for (const [field, value] of fields(file)) {
      if (field !== METADATA_PROPS) continue;
      const entry = new Map([...fields(value)].map(([number, bytes]) => [number, new TextDecoder().decode(bytes)]));
      if (entry.get(1) === "tintype") {
        const facts = JSON.parse(entry.get(2));
        if (facts.format === 1) return { multiple: 32, ...facts };
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
  }
  throw new Error("The model is damaged, or is not one that this page can run.");
}

/** The fields of a protocol buffer's message that hold bytes: [number, bytes]. Throws a RangeError where it is cut. */
function* fields(bytes) {
  let at = 0;
  const varint = () => {
    for (let value = 0, unit = 1; ; unit *= 128) {
      if (at >= bytes.length) throw new RangeError("cut");
      const byte = bytes[at++];
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const kind = key % 8;
    const length = kind === 2 ? varint() : { 1: 8, 5: 4 }[kind];
    if (kind === 0) {
      varint();
    } else if (length === undefined || at + length > bytes.length) {
      throw new RangeError("cut, or no protocol buffer");
    } else {
      at += length;
      if (kind === 2) yield [Math.floor(key / 8), bytes.subarray(at - length, at)];
    }
  }
}
