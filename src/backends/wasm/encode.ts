// The binary form of a module: sections, LEB128 numbers, instructions in the order in which a stack machine runs them.

import { laneOps, memoryOps, plainOps } from "./opcodes.ts";
import {
  type Label,
  type Local,
  localsOf,
  type Tree,
  type VectorShape,
  type WasmFunction,
  type WasmType,
} from "./tree.ts";

const typeCodes: Readonly<Record<WasmType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const empty = 0x40;

export interface WasmModule {
  /** In order; callees may come later. */
  readonly functions: readonly WasmFunction[];
  /** Pages of 64 KiB that the imported memory `env.memory` has at least. */
  readonly memoryPages: number;
  /** The most pages, of a memory that threads share; other memories may grow as they like. */
  readonly sharedPages?: number;
}

/** A module that imports its memory as `env.memory` and exports the functions that are marked so. */
export function encodeModule({ functions, memoryPages, sharedPages }: WasmModule): Uint8Array<ArrayBuffer> {
  const signatures = new Map<string, number>();
  const types: number[][] = [];
  const typeOf = ({ parameters, result }: WasmFunction): number => {
    const code = [
      0x60,
      ...unsigned(parameters.length),
      ...parameters.map(({ type }) => typeCodes[type]),
      ...(result ? [1, typeCodes[result]] : [0]),
    ];
    const key = code.join();
    const known = signatures.get(key);
    if (known !== undefined) return known;
    signatures.set(key, types.length);
    return types.push(code) - 1;
  };
  const indices = new Map(functions.map((target, i) => [target, i]));
  const typeIndices = functions.map(typeOf);
  const limits =
    sharedPages === undefined ? [0, ...unsigned(memoryPages)] : [3, ...unsigned(memoryPages), ...unsigned(sharedPages)];
  const bytes: number[] = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const section = (id: number, entries: readonly (readonly number[])[]): void => {
    const count = unsigned(entries.length);
    const size = entries.reduce((sum, entry) => sum + entry.length, count.length);
    bytes.push(id, ...unsigned(size), ...count);
    for (const entry of entries) for (const byte of entry) bytes.push(byte);
  };
  section(1, types);
  section(2, [[...text("env"), ...text("memory"), 2, ...limits]]);
  section(3, typeIndices.map(unsigned));
  section(
    7,
    functions.flatMap((target, i) => (target.exported ? [[...text(target.name), 0, ...unsigned(i)]] : [])),
  );
  section(
    10,
    functions.map((target) => encodeFunction(target, indices)),
  );
  return Uint8Array.from(bytes);
}

function encodeFunction(target: WasmFunction, functions: ReadonlyMap<WasmFunction, number>): number[] {
  const order: readonly WasmType[] = ["i32", "i64", "f32", "f64", "v128"];
  const used = localsOf(target);
  const groups = order.map((type) => used.filter((local) => local.type === type)).filter((group) => group.length > 0);
  const indices = new Map<Local, number>();
  for (const local of [...target.parameters, ...groups.flat()]) indices.set(local, indices.size);
  const code: number[] = [];
  code.push(...unsigned(groups.length));
  for (const group of groups) code.push(...unsigned(group.length), typeCodes[group[0]!.type]);
  encodeBody(target.body, { code, indices, functions, labels: [] });
  code.push(0x0b);
  return [...unsigned(code.length), ...code];
}

interface Context {
  readonly code: number[];
  readonly indices: ReadonlyMap<Local, number>;
  readonly functions: ReadonlyMap<WasmFunction, number>;
  /** Of the blocks around, outermost first; an `if` has none that branches name. */
  readonly labels: readonly (Label | undefined)[];
}

function encodeBody(body: readonly Tree[], context: Context): void {
  for (const tree of body) encode(tree, context);
}

function encode(tree: Tree, context: Context): void {
  const { code } = context;
  const local = (target: Local): void => {
    code.push(...unsigned(context.indices.get(target)!));
  };
  switch (tree.kind) {
    case "comment":
      return;
    case "plain":
      encodeBody(tree.operands, context);
      pushCode(tree.op === "select" ? 0x1b : plainOps[tree.op], code);
      return;
    case "constant":
      if (tree.type === "i32") code.push(0x41, ...signed(BigInt(tree.value | 0)));
      else if (tree.type === "f32") code.push(0x43, ...new Uint8Array(Float32Array.of(tree.value).buffer));
      else code.push(0x44, ...new Uint8Array(Float64Array.of(tree.value).buffer));
      return;
    case "long":
      code.push(0x42, ...signed(BigInt.asIntN(64, tree.value)));
      return;
    case "vector":
      pushCode(0xfd0c, code);
      code.push(...vectorBytes(tree.shape, tree.lanes));
      return;
    case "get":
      code.push(0x20);
      local(tree.local);
      return;
    case "set":
    case "tee":
      encode(tree.value, context);
      code.push(tree.kind === "set" ? 0x21 : 0x22);
      local(tree.local);
      return;
    case "memory": {
      encodeBody(tree.operands, context);
      const [opcode, alignment] = memoryOps[tree.op];
      pushCode(opcode, code);
      code.push(alignment, ...unsigned(tree.offset));
      return;
    }
    case "lane":
      encodeBody(tree.operands, context);
      pushCode(laneOps[tree.op], code);
      code.push(tree.lane);
      return;
    case "shuffle":
      encodeBody(tree.operands, context);
      pushCode(0xfd0d, code);
      code.push(...tree.bytes);
      return;
    case "call":
      encodeBody(tree.operands, context);
      code.push(0x10, ...unsigned(context.functions.get(tree.target)!));
      return;
    case "copy":
      encodeBody(tree.operands, context);
      pushCode(0xfc0a, code);
      code.push(0, 0);
      return;
    case "block":
    case "loop":
      code.push(
        tree.kind === "block" ? 0x02 : 0x03,
        tree.kind === "block" && tree.result ? typeCodes[tree.result] : empty,
      );
      encodeBody(tree.body, { ...context, labels: [...context.labels, tree.label] });
      code.push(0x0b);
      return;
    case "if": {
      encode(tree.condition, context);
      code.push(0x04, tree.result ? typeCodes[tree.result] : empty);
      const inner = { ...context, labels: [...context.labels, undefined] };
      encodeBody(tree.then, inner);
      if (tree.otherwise.length > 0) {
        code.push(0x05);
        encodeBody(tree.otherwise, inner);
      }
      code.push(0x0b);
      return;
    }
    case "branch": {
      if (tree.condition) encode(tree.condition, context);
      const depth = context.labels.toReversed().indexOf(tree.label);
      code.push(tree.condition ? 0x0d : 0x0c, ...unsigned(depth));
      return;
    }
  }
}

/** An opcode: one byte, or a prefix and a number. */
function pushCode(opcode: number, code: number[]): void {
  if (opcode < 0x100) code.push(opcode);
  else if (opcode < 0x10000) code.push(opcode >> 8, ...unsigned(opcode & 0xff));
  else code.push(opcode >> 12, ...unsigned(opcode & 0xfff));
}

/** The 16 bytes of a vector constant. */
export function vectorBytes(shape: VectorShape, lanes: readonly (number | bigint)[]): Uint8Array {
  switch (shape) {
    case "i32x4":
      return new Uint8Array(Int32Array.from(lanes, Number).buffer);
    case "f32x4":
      return new Uint8Array(Float32Array.from(lanes, Number).buffer);
    case "f64x2":
      return new Uint8Array(Float64Array.from(lanes, Number).buffer);
    case "i64x2":
      return new Uint8Array(BigInt64Array.from(lanes, (lane) => BigInt.asIntN(64, BigInt(lane))).buffer);
  }
}

/** Unsigned LEB128: seven bits a byte, lowest first. Of integers from 0 to 2^53. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

/** Signed LEB128: the highest bit of the last byte but one is the sign. */
export function signed(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 127n);
    rest >>= 7n;
    if ((rest === 0n && low < 64) || (rest === -1n && low >= 64)) return [...bytes, low];
    bytes.push(low | 128);
  }
}

const text = (name: string): number[] => {
  const bytes = new TextEncoder().encode(name);
  return [...unsigned(bytes.length), ...bytes];
};
