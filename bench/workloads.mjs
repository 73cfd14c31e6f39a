// The workloads of the benchmark harness as programs of ours: which file, which model, which inputs, and which weight of the harness
// each parameter is. The peers for the CPU and for WebGPU share it.

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
/** The built library: DLM_LIBRARY, or where `npm run build` puts it. */
const { DLM_LIBRARY: libraryFile = resolve(here, "../dist/index.js") } = process.env;
export const library = await import(pathToFileURL(libraryFile).href);
/** A module that the library does not export. */
export const fromLibrary = (file) => import(new URL(file, pathToFileURL(libraryFile)).href);

/** `folder` is that of the harness, whose lib/data.mjs gives weights and inputs by name. */
export async function workloadsIn(folder) {
  const data = await import(pathToFileURL(resolve(folder, "lib/data.mjs")).href);
  const f32 = (values, shape) => ({ dtype: "f32", shape, data: values });
  const named = (name) => f32(data.load(name), data.shapes[name]);
  /** The first `rows` rows of a tensor of the harness. */
  const rowsOf = (name, rows) => {
    const [, ...row] = data.shapes[name];
    return f32(data.load(name).slice(0, rows * data.numel(row)), [rows, ...row]);
  };
  const matmul = (size) => ({
    file: "matmul",
    model: `Matmul${size}`,
    inputs: () => ({ a: named(`W1_a${size}`), b: named(`W1_b${size}`) }),
  });
  const mlp = (batch) => ({ file: "mlp", weights: "W2", inputs: () => ({ x: rowsOf("W2_x", batch) }) });
  const cnn = (batch) => ({ file: "cnn", weights: "W3", inputs: () => ({ x: rowsOf("W3_x", batch) }) });
  const train = { ...cnn(32), graph: "train_step", inputs: () => ({ x: named("W3_x"), y: named("W3_y") }) };
  const workloads = {
    "W1-256": matmul(256),
    "W1-512": matmul(512),
    "W1-1024": matmul(1024),
    "W2-b1": mlp(1),
    "W2-b64": mlp(64),
    "W3-b1": cnn(1),
    "W3-b32": cnn(32),
    "W3-train": train,
    W4: { file: "transformer", weights: "W4", inputs: () => ({ x: named("W4_x") }) },
    W5: { file: "lstm", weights: "W5", inputs: () => ({ x: named("W5_x") }) },
    W6: { file: "elementwise", inputs: () => ({ a: named("W6_a"), b: named("W6_b"), c: named("W6_c") }) },
    W7: { file: "mobile_net", weights: "W7", inputs: () => ({ x: named("W7_x") }) },
  };
  return {
    supports: (id) => Object.hasOwn(workloads, id),
    /** The module, the graph that is run, its inputs, and all parameters; a training step takes its number as `step`, too. */
    workload(id) {
      const { file, model, weights, graph = "infer", inputs } = workloads[id];
      const module = moduleOf(file, model);
      const parameters = [...module.globals.values()]
        .filter(({ role }) => role === "parameter")
        .map(({ name, type }) => [name, f32(named(weightOf(weights, name)).data, type.shape)]);
      const step = graph === "infer" ? () => ({}) : (number) => ({ step: f32(Float32Array.of(number), []) });
      return { module, graph, inputs: inputs(), parameters, step };
    },
  };
}

const recurrent = { kernel: "k", recurrent_kernel: "r", bias: "b" };
const suffixes = { kernel: "w", bias: "b", scale: "g", shift: "b" };

/** The harness' name of a parameter: `l1.bias` is `W2_1_b`, `attention.o.kernel` `W4_o_w`, `b3.e.kernel` `W7_3_e_w`. */
function weightOf(prefix, name) {
  const path = name.split(".").filter((part) => part !== "attention");
  if (path[0] === "lstm") return `${prefix}_${recurrent[path.at(-1)]}`;
  const last = suffixes[path.pop()];
  const middle = path.map((part) => (prefix === "W2" || prefix === "W7" ? part.replace(/^[lb](?=\d)/, "") : part));
  return [prefix, ...middle, last].join("_");
}

function moduleOf(file, model) {
  const path = resolve(here, "workloads", `${file}.dlm`);
  const source = { name: path, text: readFileSync(path, "utf8") };
  const { module, diagnostics } = library.compileSource(source, () => undefined, model ? { model } : {});
  if (!module) throw new Error(diagnostics.map(({ message }) => message).join("; "));
  return module;
}
