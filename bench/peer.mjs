// This compiler as one engine of a benchmark harness that runs several on the same weights: init, supports, build. What
// runs the program is said behind the path, `peer.mjs?js`, or by the environment variable DLM_TARGET: js, wasm or auto,
// which is the default. DLM_HARNESS is the folder of the harness (default that of the script which Node runs),
// DLM_LIBRARY the built library (default dist/index.js).

import { dirname, resolve } from "node:path";
import process from "node:process";
import { fromLibrary, library, workloadsIn } from "./workloads.mjs";

const target = new URL(import.meta.url).search.slice(1) || (process.env.DLM_TARGET ?? "auto");
const workloads = await workloadsIn(process.env.DLM_HARNESS ?? dirname(resolve(process.argv[1])));

let threads = 1;
export async function init(options) {
  if (target !== "js") {
    ({ threads } = options);
    // As the commands of dlm do: Node 20 must be told before anything is compiled that it may use all of WebAssembly.
    const { enableRelaxedSimd } = await fromLibrary("backends/node/relaxed-simd.js");
    enableRelaxedSimd();
  }
  return { target, threads };
}

export const supports = (id) => workloads.supports(id);

export async function build(id) {
  const { module, graph, inputs, parameters, step } = workloads.workload(id);
  const executable = library.load(library.compile(module, { target, graphs: [graph] }), { threads });
  for (const [name, value] of parameters) executable.write(name, value);
  const prepared = executable.prepare(graph, { ...inputs, ...step(0) });
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
