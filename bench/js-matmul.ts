// How fast a matrix product is in generated JavaScript: a hand-written kernel with a register tile through the renderer, and
// the naive one. Prints GFLOP/s, by the processor's own time, best of many runs: `npx tsx bench/js-matmul.ts [size]`.

import { renderKernel } from "../src/backends/js/render-kernel.ts";
import { k } from "../src/ir/kernel/build.ts";
import type { Expr, Kernel, Stmt } from "../src/ir/kernel/types.ts";

/** y = a · b for square matrices; `rows` × `columns` results at once, b in float64 panels of scratch memory if `packed`. */
function matmul(size: number, rows: number, columns: number, packed: boolean): Kernel {
  const [i, j, p] = ["i", "j", "p"].map((name) => k.variable(name, "index")) as [Expr, Expr, Expr];
  const at = (row: Expr, column: Expr): Expr => k.add(k.multiply(row, size), column);
  const float = (name: string): Expr => k.variable(name, "f32");
  const each = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
  const cells = each(rows, (r) => each(columns, (c) => ({ r, c, name: `c${r}${c}` }))).flat();
  const right = (c: number): Expr =>
    packed ? k.load("panel", k.add(k.multiply(p, columns), c), "f32") : k.load("b", at(p, k.add(j, c)), "f32");
  const tile: Stmt[] = [
    ...cells.map(({ name }) => k.var(name, k.constant(0, "f32"))),
    k.loop(
      "p",
      size,
      [
        ...each(rows, (r) => k.let(`a${r}`, k.load("a", at(k.add(i, r), p), "f32"))),
        ...each(columns, (c) => k.let(`b${c}`, right(c))),
        ...cells.map(({ r, c, name }) =>
          k.assign(name, k.add(float(name), k.multiply(float(`a${r}`), float(`b${c}`)))),
        ),
      ],
      { role: "k" },
    ),
    ...cells.map(({ r, c, name }) => k.store("y", at(k.add(i, r), k.add(j, c)), float(name))),
  ];
  const pack = k.loop(
    "p",
    size,
    each(columns, (c) => k.store("panel", k.add(k.multiply(p, columns), c), k.load("b", at(p, k.add(j, c)), "f32"))),
    { role: "k" },
  );
  const rowsOf = k.loop("i", size, tile, { step: rows, role: "m" });
  const columnsOf = k.loop("j", size, packed ? [pack, rowsOf] : [rowsOf], { step: columns, role: "n" });
  const length = size * size;
  return {
    name: "matmul",
    doc: "y = a . b",
    location: undefined,
    sizes: [],
    buffers: [
      { name: "a", dtype: "f32", length, access: "read" },
      { name: "b", dtype: "f32", length, access: "read" },
      { name: "y", dtype: "f32", length, access: "write" },
    ],
    body: packed ? [k.alloc("panel", "f32", size * columns), columnsOf] : [columnsOf],
    cost: { flops: 2 * size ** 3, bytes: 12 * length },
  };
}

function measure(kernel: Kernel, size: number): number {
  const memory = new ArrayBuffer(12 * size * size);
  const elements = new Float32Array(memory).map((_, n) => Math.sin(n));
  new Float32Array(memory).set(elements);
  const source = `const f32 = new Float32Array(memory);\n${renderKernel(kernel, "matmul").text}\nreturn matmul;`;
  const run: (a: number, b: number, y: number) => void = new Function("memory", source)(memory);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 25; round++) {
    const start = process.cpuUsage();
    run(0, size * size, 2 * size * size);
    const used = process.cpuUsage(start);
    best = Math.min(best, used.user + used.system);
  }
  return (2 * size ** 3) / best / 1e3;
}

const size = Number(process.argv[2] ?? 240);
for (const [rows, columns, packed] of [
  [1, 1, false],
  [2, 4, false],
  [2, 4, true],
  [4, 2, true],
  [3, 3, true],
] as const) {
  const speed = measure(matmul(size, rows, columns, packed), size).toFixed(1);
  console.log(`${size}³, tile ${rows}×${columns}${packed ? ", b in panels" : ""}: ${speed} GFLOP/s`);
}
