// What the WebAssembly engine at hand can do, found by asking it to validate a small module.

import { encodeModule } from "./encode.ts";
import { get, type Local, op, type Tree } from "./tree.ts";

/** A module that is valid where there are 128-bit vectors: everything that this back-end needs. */
export const simdProbe = (): Uint8Array<ArrayBuffer> => probe((x) => op("f32x4.add", x, x));

/** A module that is valid where there is relaxed SIMD's multiply-add. */
export const relaxedSimdProbe = (): Uint8Array<ArrayBuffer> => probe((x) => op("f32x4.relaxed_madd", x, x, x));

export const supportsSimd = (): boolean => validates(simdProbe());
export const supportsRelaxedSimd = (): boolean => validates(relaxedSimdProbe());

function probe(make: (x: Tree) => Tree): Uint8Array<ArrayBuffer> {
  const x: Local = { name: "x", type: "v128" };
  const only = { name: "probe", comments: [], parameters: [x], result: "v128", body: [make(get(x))] } as const;
  return encodeModule({ functions: [only], memoryPages: 1 });
}

const validates = (module: Uint8Array<ArrayBuffer>): boolean =>
  typeof WebAssembly !== "undefined" && WebAssembly.validate(module);

/**
 * Whether the engine places loads close to where they are used. No program can ask for that; V8 has done so since about the version
 * that brought 64-bit memories (13.3), which can be asked for, and results do not depend on the answer.
 */
export const schedulesLoads = (): boolean => validates(memory64);

/** An empty module with one 64-bit memory. */
const memory64 = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x05, 0x03, 0x01, 0x04, 0x01);
