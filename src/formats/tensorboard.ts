// Event files of TensorBoard: records of TFRecord framing, each a protocol buffer `Event`. Written by hand, because the format needs a
// few kinds of fields alone. Sources: tensorflow/core/util/event.proto, framework/summary.proto and lib/io/record_writer.h.

/** Numbers in equal parts of a range, with their sums: `HistogramProto`. */
export interface EventHistogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** The upper end of each part, and how many numbers lie in it. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

export interface EventValue {
  readonly tag: string;
  readonly value: number | EventHistogram;
}

/** One record: the values at a step. `seconds` is the time since 1970. */
export function encodeEvent(seconds: number, step: number, values: readonly EventValue[]): Uint8Array {
  const summary = values.flatMap(({ tag, value }) =>
    bytesField(1, [
      ...bytesField(1, utf8(tag)),
      ...(typeof value === "number" ? floatField(2, value) : bytesField(5, histogram(value))),
    ]),
  );
  return record([...doubleField(1, seconds), ...integerField(2, step), ...bytesField(5, summary)]);
}

/** The record that an event file begins with. */
export const encodeFileVersion = (seconds: number): Uint8Array =>
  record([...doubleField(1, seconds), ...bytesField(3, utf8("brain.Event:2"))]);

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const histogram = ({ min, max, count, sum, sumOfSquares, limits, counts }: EventHistogram): number[] => [
  ...[min, max, count, sum, sumOfSquares].flatMap((value, i) => doubleField(i + 1, value)),
  ...bytesField(6, limits.flatMap(doubleBytes)),
  ...bytesField(7, counts.flatMap(doubleBytes)),
];

// Protocol buffers: a field is its number and kind of encoding in one varint, then the value.

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

const key = (field: number, kind: 0 | 1 | 2 | 5): number[] => varint(field * 8 + kind);
const integerField = (field: number, value: number): number[] => [...key(field, 0), ...varint(value)];
const doubleField = (field: number, value: number): number[] => [...key(field, 1), ...doubleBytes(value)];
const doubleBytes = (value: number): number[] => [...new Uint8Array(Float64Array.of(value).buffer)];
const floatField = (field: number, value: number): number[] => [
  ...key(field, 5),
  ...new Uint8Array(Float32Array.of(value).buffer),
];
const bytesField = (field: number, bytes: Iterable<number>): number[] => {
  const content = [...bytes];
  return [...key(field, 2), ...varint(content.length), ...content];
};

/** TFRecord: the length, its checksum, the content, its checksum, all little-endian. */
function record(content: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(content.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(content.length), true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(content, 12);
  view.setUint32(12 + content.length, maskedCrc(bytes.subarray(12, 12 + content.length)), true);
  return bytes;
}

/** CRC-32C (Castagnoli), rotated and offset, so that checksums of data with checksums in them stay sound. */
export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** CRC-32C: the polynomial 0x1EDC6F41, reflected. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}
