// How long it takes from text to a program that can run, in a process that has compiled before: models, and networks of growing
// depth. Run: npm run build && node bench/compile.mjs [FILE.dlm …]. DLM_LIBRARY is the built library (default dist/index.js).

import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const { DLM_LIBRARY: library = resolve(here, "../dist/index.js") } = process.env;
const { compile, compileSource, load } = await import(pathToFileURL(library).href);

/** Times of the parts of one way through, in ms. `train_step` comes with all graphs of training. */
function once(source, graph, sizes) {
  const start = performance.now();
  const { module, diagnostics } = compileSource(source, () => undefined, {});
  if (!module) throw new Error(diagnostics.map(({ message }) => message).join("; "));
  const elaborated = performance.now();
  const compiled = compile(module, { target: "wasm", ...(graph === "infer" ? { graphs: [graph] } : {}) });
  const lowered = performance.now();
  const { inputs } = compiled.programs.programs.get(graph);
  const given = inputs.map(({ name, type: { dtype, shape } }) => {
    const numbers = shape.map((size) => (typeof size === "number" ? size : sizes));
    const Data = { f32: Float32Array, i32: Int32Array, u8: Uint8Array, bool: Uint8Array }[dtype];
    return [name, { dtype, shape: numbers, data: new Data(numbers.reduce((a, b) => a * b, 1)) }];
  });
  load(compiled).prepare(graph, Object.fromEntries(given));
  const ready = performance.now();
  const nodes = compiled.module.graphs.get(graph).nodes.length;
  const parts = { text: elaborated - start, passes: lowered - elaborated, code: ready - lowered };
  return { ...parts, total: ready - start, before: module.graphs.get(graph).nodes.length, nodes };
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

function report(source, graph, { rounds = 7, warm = 10, sizes = 8 } = {}) {
  const runs = Array.from({ length: rounds + warm }, () => once(source, graph, sizes)).slice(warm);
  const [text, passes, code, total] = ["text", "passes", "code", "total"].map((part) =>
    median(runs.map((run) => run[part]))
      .toFixed(0)
      .padStart(6),
  );
  const { before, nodes } = runs[0];
  const name = `${basename(source.name)} ${graph}`.padEnd(32);
  console.log(
    `${name} ${total} ms: text${text}, passes and kernels${passes}, code${code}; ${before} nodes, ${nodes} fused`,
  );
}

/** Blocks of four nodes or so each, of which no two have the same weights. */
const deep = (blocks) => ({
  name: `deep, ${blocks} blocks`,
  text: `model Deep(x: f32[N, 16]) -> (y: f32[N, 16]) {
  repeat ${blocks} {
    x = x + (x |> dense(16) |> relu)
  }
  y = x
}
`,
});

const files = process.argv.slice(2);
const models = files.length > 0 ? files : [resolve(here, "workloads/mobile_net.dlm")];
for (const name of models) {
  const source = { name, text: readFileSync(name, "utf8") };
  report(source, "infer");
  if (/^train\b/m.test(source.text)) report(source, "train_step");
}
for (const blocks of files.length > 0 ? [] : [20, 200, 2000]) report(deep(blocks), "infer", { rounds: 1, warm: 1 });
