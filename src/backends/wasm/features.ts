// What the WebAssembly engine at hand can do, found by asking it to validate a small module.

import { encodeModule } from "./encode.ts";
import { get, type Local, op, type Tree } from "./tree.ts";

/** Whether the engine has 128-bit vectors: everything that this back-end needs. */
export const supportsSimd = (): boolean => validates((x) => op("f32x4.add", x, x));

/** Whether it has relaxed SIMD's multiply-add. */
export const supportsRelaxedSimd = (): boolean => validates((x) => op("f32x4.relaxed_madd", x, x, x));

function validates(make: (x: Tree) => Tree): boolean {
  if (typeof WebAssembly === "undefined") return false;
  const x: Local = { name: "x", type: "v128" };
  const probe = { name: "probe", comments: [], parameters: [x], result: "v128", body: [make(get(x))] } as const;
  return WebAssembly.validate(encodeModule({ functions: [probe], memoryPages: 1 }));
}
