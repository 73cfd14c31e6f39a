// Threefry-2x32-20, word 0: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011. For one counter or for four.

import { get, i32, type Local, op, set, type Tree, type WasmFunction } from "../tree.ts";

const rotations = [13, 15, 26, 6, 17, 29, 16, 24];

export function threefry(name: string, shape: "i32" | "i32x4"): WasmFunction {
  const isVector = shape === "i32x4";
  const type = isVector ? "v128" : "i32";
  const parameters = ["k0", "k1", "c0", "c1"].map((parameter): Local => ({ name: parameter, type }));
  const [k0, k1, c0, c1] = parameters.map(get);
  const [k2, x, y]: readonly Local[] = ["k2", "x", "y"].map((local) => ({ name: local, type }));
  const add = (a: Tree, b: Tree): Tree => op(`${shape}.add`, a, b);
  const xor = (a: Tree, b: Tree): Tree => op(isVector ? "v128.xor" : "i32.xor", a, b);
  const constant = (value: number): Tree =>
    isVector ? { kind: "vector", shape, lanes: [value, value, value, value] } : i32(value);
  const rotate = (value: Tree, by: number): Tree =>
    isVector
      ? op("v128.or", op("i32x4.shl", value, i32(by)), op("i32x4.shr_u", value, i32(32 - by)))
      : op("i32.rotl", value, i32(by));
  const keys = [k0!, k1!, get(k2!)];
  const body: Tree[] = [
    set(k2!, xor(xor(constant(0x1bd11bda), k0!), k1!)),
    set(x!, add(c0!, k0!)),
    set(y!, add(c1!, k1!)),
  ];
  for (let round = 0; round < 20; round++) {
    body.push(set(x!, add(get(x!), get(y!))), set(y!, xor(rotate(get(y!), rotations[round % 8]!), get(x!))));
    const n = (round + 1) / 4;
    if (!Number.isInteger(n)) continue;
    body.push(set(x!, add(get(x!), keys[n % 3]!)), set(y!, add(add(get(y!), keys[(n + 1) % 3]!), constant(n))));
  }
  return {
    name,
    comments: ["Word 0 of Threefry-2x32-20 (Salmon et al., 2011)."],
    parameters,
    result: type,
    body: [...body, get(x!)],
  };
}
