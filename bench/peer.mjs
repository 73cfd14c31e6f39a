// This compiler as one engine of a benchmark harness that runs several on the same weights: init, supports, build. The
// harness gives weights and inputs by name (`lib/data.mjs` in its folder). What runs the program is said behind the
// path, `peer.mjs?js`, or by the environment variable DLM_TARGET: js, wasm or auto, which is the default. DLM_HARNESS
// is the folder of the harness (default that of the script which Node runs), DLM_LIBRARY the built library
// (default dist/index.js).

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const { DLM_TARGET, DLM_LIBRARY: library = resolve(here, "../dist/index.js") } = process.env;
const target = new URL(import.meta.url).search.slice(1) || (DLM_TARGET ?? "auto");
const harness = process.env.DLM_HARNESS ?? dirname(resolve(process.argv[1]));
const { compile, compileSource, load } = await import(pathToFileURL(library).href);
// Before anything is compiled: Node 20 has fused multiply-add for vectors behind a flag.
const { enableRelaxedSimd } = await import(
  pathToFileURL(resolve(dirname(library), "backends/node/relaxed-simd.js")).href
);
enableRelaxedSimd();
const data = await import(pathToFileURL(resolve(harness, "lib/data.mjs")).href);

const f32 = (values, shape) => ({ dtype: "f32", shape, data: values });
const named = (name) => f32(data.load(name), data.shapes[name]);

/** The first `rows` rows of a tensor of the harness. */
function rowsOf(name, rows) {
  const [, ...row] = data.shapes[name];
  return f32(data.load(name).slice(0, rows * data.numel(row)), [rows, ...row]);
}

const matmul = (size) => ({
  file: "matmul",
  model: `Matmul${size}`,
  inputs: () => ({ a: named(`W1_a${size}`), b: named(`W1_b${size}`) }),
});
const mlp = (batch) => ({ file: "mlp", weights: "W2", inputs: () => ({ x: rowsOf("W2_x", batch) }) });
const cnn = (batch) => ({ file: "cnn", weights: "W3", inputs: () => ({ x: rowsOf("W3_x", batch) }) });

const workloads = {
  "W1-256": matmul(256),
  "W1-512": matmul(512),
  "W1-1024": matmul(1024),
  "W2-b1": mlp(1),
  "W2-b64": mlp(64),
  "W3-b1": cnn(1),
  "W3-b32": cnn(32),
  "W3-train": { ...cnn(32), graph: "train_step", inputs: () => ({ x: named("W3_x"), y: named("W3_y") }) },
  W4: { file: "transformer", weights: "W4", inputs: () => ({ x: named("W4_x") }) },
  W6: { file: "elementwise", inputs: () => ({ a: named("W6_a"), b: named("W6_b"), c: named("W6_c") }) },
  W7: { file: "mobile_net", weights: "W7", inputs: () => ({ x: named("W7_x") }) },
};

const suffixes = { kernel: "w", bias: "b", scale: "g", shift: "b" };

/** The harness' name of a parameter: `l1.bias` is `W2_1_b`, `attention.o.kernel` `W4_o_w`, `b3.e.kernel` `W7_3_e_w`. */
function weightOf(prefix, name) {
  const path = name.split(".").filter((part) => part !== "attention");
  const last = suffixes[path.pop()];
  const middle = path.map((part) => (prefix === "W2" || prefix === "W7" ? part.replace(/^[lb](?=\d)/, "") : part));
  return [prefix, ...middle, last].join("_");
}

function moduleOf(file, model) {
  const path = resolve(here, "workloads", `${file}.dlm`);
  const source = { name: path, text: readFileSync(path, "utf8") };
  const { module, diagnostics } = compileSource(source, () => undefined, model ? { model } : {});
  if (!module) throw new Error(diagnostics.map(({ message }) => message).join("; "));
  return module;
}

let threads = 1;
export async function init(options) {
  if (target !== "js") {
    ({ threads } = options);
    // As the commands of dlm do: Node 20 must be told before anything is compiled that it may use all of WebAssembly.
    const { enableRelaxedSimd } = await import(new URL("backends/node/relaxed-simd.js", pathToFileURL(library)).href);
    enableRelaxedSimd();
  }
  return { target, threads };
}

export const supports = (id) => Object.hasOwn(workloads, id);

export async function build(id) {
  const { file, model, weights, graph = "infer", inputs } = workloads[id];
  const module = moduleOf(file, model);
  const executable = load(compile(module, { target, graphs: [graph] }), { threads });
  for (const { name, type, role } of module.globals.values()) {
    if (role !== "parameter") continue;
    const { data: values } = named(weightOf(weights, name));
    executable.write(name, f32(values, type.shape));
  }
  const step = graph === "infer" ? {} : { step: f32(Float32Array.of(0), []) };
  const prepared = executable.prepare(graph, { ...inputs(), ...step });
  const { data } = Object.values(prepared.outputs)[0];
  const result = data.slice();
  return {
    run() {
      prepared.run();
      if (prepared.inputs.step) prepared.inputs.step.data[0]++;
    },
    /** Out of the executable's memory, as other engines do. */
    read() {
      result.set(data);
      return result;
    },
    dispose: () => executable.dispose?.(),
  };
}
