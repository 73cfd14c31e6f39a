// Safetensors: the format of weights and checkpoints (https://github.com/huggingface/safetensors). A header of JSON that
// names each tensor's type, shape and byte range, then the bytes. Reading trusts nothing; writing is deterministic.

import { bytesOf, type DType, type Tensor } from "../ir/dtype.ts";
import { duplicateKey } from "./duplicate-key.ts";
import { describeTensor, elementCount } from "./elements.ts";
import { decodeUtf8, excerpt, FormatError } from "./format-error.ts";
import { bytesOfArray, type FileType, fileTypeBytes, tensorFromBytes } from "./raw.ts";

export interface Safetensors {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

const fileTypes: Readonly<Record<string, FileType>> = {
  F32: "f32",
  F16: "f16",
  I32: "i32",
  U8: "u8",
  I8: "i8",
  BOOL: "bool",
  F64: "f64",
  I64: "i64",
};

const written: Readonly<Record<DType, string>> = {
  f32: "F32",
  f16: "F16",
  i32: "I32",
  u8: "U8",
  i8: "I8",
  bool: "BOOL",
};

interface Entry {
  readonly name: string;
  readonly type: FileType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

const copyAgain = "the file is damaged or was not written to its end; copy or write it again";

/**
 * Reads a safetensors file. I64 is narrowed to i32 (values that do not fit are refused), F64 rounded to f32.
 * Throws a FormatError that names `file`.
 */
export function readSafetensors(bytes: Uint8Array, file: string): Safetensors {
  const fail = (what: string, help = copyAgain): never => {
    throw new FormatError(file, what, help);
  };
  if (bytes.length < 8) fail(`is ${bytes.length} bytes long, too short for the safetensors format`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(bytes.length - 8)) {
    const what = `its header claims ${length} bytes, but only ${bytes.length - 8} follow`;
    fail(what, "this is no safetensors file, or it was cut short; copy or write it again");
  }
  const start = 8 + Number(length);
  const header = parseHeader(bytes.subarray(8, start), file);
  const entries: Entry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") metadata = checkMetadata(value, fail);
    else entries.push(checkEntry(name, value, bytes.length - start, fail));
  }
  checkRanges(entries, bytes.length - start, fail);
  const tensors = entries.map(({ name, type, shape, begin, end }) => {
    const refuse = (what: string): never => fail(`tensor ${excerpt(name)}: ${what}`);
    return [name, tensorFromBytes(type, shape, bytes.subarray(start + begin, start + end), refuse)] as const;
  });
  return { tensors: Object.fromEntries(tensors), metadata };
}

type Fail = (what: string, help?: string) => never;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function parseHeader(bytes: Uint8Array, file: string): Readonly<Record<string, unknown>> {
  const text = decodeUtf8(bytes, `${file} (header)`);
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof RangeError ? "nested too deeply" : "not JSON";
    throw new FormatError(file, `its header is ${reason}: ${excerpt(text)}`, copyAgain);
  }
  if (!isObject(header)) throw new FormatError(file, "its header is not a JSON object", copyAgain);
  const twice = duplicateKey(text);
  if (twice !== undefined) {
    throw new FormatError(file, `its header has ${excerpt(twice)} twice`, "write the file again with distinct names");
  }
  return header;
}

function checkMetadata(value: unknown, fail: Fail): Record<string, string> {
  if (!isObject(value)) return fail("__metadata__ is not an object of texts");
  return Object.fromEntries(
    Object.entries(value).map(([key, text]) => {
      if (typeof text !== "string") return fail(`__metadata__ ${excerpt(key)} is not a text`);
      return [key, text];
    }),
  );
}

function checkEntry(name: string, value: unknown, available: number, fail: Fail): Entry {
  const at = `tensor ${excerpt(name)}`;
  if (!isObject(value)) return fail(`${at} has no type, shape and place`);
  const { dtype, shape, data_offsets: offsets } = value;
  const type = typeof dtype === "string" && Object.hasOwn(fileTypes, dtype) ? fileTypes[dtype] : undefined;
  if (!type) {
    const known = Object.keys(fileTypes).join(", ");
    return fail(`${at} has the element type ${excerpt(String(dtype))}`, `convert it to one of ${known}`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) return fail(`${at}: its shape is not a list of sizes`);
  const [begin, end] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [];
  if (!isSize(begin) || !isSize(end) || begin > end) return fail(`${at}: its data_offsets are not [begin, end]`);
  if (end > available) return fail(`${at} ends at byte ${end} of the data, which are ${available} bytes long`);
  const needed = elementCount(shape) * fileTypeBytes[type];
  if (needed !== end - begin) {
    return fail(`${at}: ${dtype}[${shape.join(", ")}] takes ${needed} bytes, but its place has ${end - begin}`);
  }
  return { name, type, shape, begin, end };
}

/** Tensors must fill the data without gap or overlap, as the format demands. */
function checkRanges(entries: readonly Entry[], available: number, fail: Fail): void {
  const ordered = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  let before = "the header";
  for (const { name, begin, end } of ordered) {
    if (begin < at) fail(`tensors ${before} and ${excerpt(name)} overlap at byte ${begin}`);
    if (begin > at) fail(`bytes ${at} to ${begin}, between ${before} and ${excerpt(name)}, belong to no tensor`);
    at = end;
    before = excerpt(name);
  }
  if (at !== available) fail(`${available - at} bytes after ${before} belong to no tensor`);
}

/** Writes a safetensors file. The same tensors give the same bytes, in whatever order they come. */
export function writeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  // Wide elements first, so that each tensor is aligned to its element.
  const ordered = Object.entries(tensors).sort(
    ([a, ta], [b, tb]) => bytesOf[tb.dtype] - bytesOf[ta.dtype] || byText(a, b),
  );
  const entries: [string, unknown][] = [];
  const texts = Object.entries(metadata).sort(([a], [b]) => byText(a, b));
  if (texts.length > 0) entries.push(["__metadata__", Object.fromEntries(texts)]);
  let end = 0;
  for (const [name, tensor] of ordered) {
    if (tensor.data.length !== elementCount(tensor.shape)) {
      throw new RangeError(`${name}: ${describeTensor(tensor)} with ${tensor.data.length} elements`);
    }
    const begin = end;
    end += tensor.data.byteLength;
    entries.push([name, { dtype: written[tensor.dtype], shape: tensor.shape, data_offsets: [begin, end] }]);
  }
  const pairs = entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const text = new TextEncoder().encode(`{${pairs.join(",")}}`);
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, 8, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(text, 8);
  let at = start;
  for (const [, tensor] of ordered) {
    bytes.set(bytesOfArray(tensor.data), at);
    at += tensor.data.byteLength;
  }
  return bytes;
}
