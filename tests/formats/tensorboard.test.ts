// Event files of TensorBoard, read back by a reader written from the published format alone.

import { describe, expect, it } from "vitest";
import { crc32c, encodeEvent, encodeFileVersion, maskedCrc } from "../../src/formats/tensorboard.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** The contents of the records of a file, their lengths and checksums verified. */
function recordsIn(file: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc(file.subarray(at, at + 8)));
    const content = file.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc(content));
    records.push(content);
    at += 16 + length;
  }
  return records;
}

type Field = number | Uint8Array;

/** The fields of a message by number: varints and floats as numbers, everything else as bytes. */
function fieldsIn(bytes: Uint8Array): Map<number, Field[]> {
  const fields = new Map<number, Field[]>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const read = (kind: number): Field => {
    if (kind === 0) return varint();
    const length = kind === 1 ? 8 : kind === 5 ? 4 : varint();
    const start = at;
    at += length;
    if (kind === 1) return view.getFloat64(start, true);
    if (kind === 5) return view.getFloat32(start, true);
    expect(kind).toBe(2);
    return bytes.subarray(start, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    fields.set(number, [...(fields.get(number) ?? []), read(key % 8)]);
  }
  return fields;
}

const bytesOf = (field: Field | undefined): Uint8Array => {
  if (!(field instanceof Uint8Array)) throw new Error("a field of bytes was expected");
  return field;
};
const doubles = (field: Field | undefined): number[] => [...new Float64Array(bytesOf(field).slice().buffer)];

describe("checksums", () => {
  it("are CRC-32C, as RFC 3720 (B.4) gives it for these 32 bytes", () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  });
});

describe("event files", () => {
  it("begin with their version", () => {
    const [content, ...more] = recordsIn(encodeFileVersion(12.5));
    const event = fieldsIn(content!);
    expect(more).toEqual([]);
    expect(event.get(1)).toEqual([12.5]);
    expect(text(bytesOf(event.get(3)?.[0]))).toBe("brain.Event:2");
  });

  it("hold scalars by tag and step", () => {
    const values = [
      { tag: "loss/training", value: 0.25 },
      { tag: "größe", value: Number.NaN },
    ];
    const [content] = recordsIn(encodeEvent(1e9, 70_000, values));
    const event = fieldsIn(content!);
    expect([event.get(1), event.get(2)]).toEqual([[1e9], [70_000]]);
    const found = fieldsIn(bytesOf(event.get(5)?.[0]))
      .get(1)!
      .map((value) => fieldsIn(bytesOf(value)));
    expect(found.map((value) => text(bytesOf(value.get(1)?.[0])))).toEqual(["loss/training", "größe"]);
    expect(found.map((value) => value.get(2))).toEqual([[0.25], [Number.NaN]]);
  });

  it("hold histograms", () => {
    const value = { min: -1, max: 2, count: 6, sum: 1.5, sumOfSquares: 4, limits: [0.5, 2], counts: [2, 4] };
    const [content] = recordsIn(encodeEvent(0, 1, [{ tag: "weights/w", value }]));
    const [found] = fieldsIn(bytesOf(fieldsIn(content!).get(5)?.[0])).get(1)!;
    const histogram = fieldsIn(bytesOf(fieldsIn(bytesOf(found)).get(5)?.[0]));
    expect([1, 2, 3, 4, 5].map((number) => histogram.get(number)?.[0])).toEqual([-1, 2, 6, 1.5, 4]);
    expect([doubles(histogram.get(6)?.[0]), doubles(histogram.get(7)?.[0])]).toEqual([value.limits, value.counts]);
  });
});
