// This compiler as one engine of a harness that counts what engines ask of WebGPU. It finds `navigator.gpu` in place; its
// folder is that of the script which Node runs, and weights and inputs are those of the harness above it. DLM_HARNESS and
// DLM_LIBRARY as in peer.mjs.

import { dirname, resolve } from "node:path";
import process from "node:process";
import { library, workloadsIn } from "./workloads.mjs";

const workloads = await workloadsIn(process.env.DLM_HARNESS ?? resolve(dirname(resolve(process.argv[1])), ".."));

export const init = async () => ({ target: "webgpu" });
export const supports = (id) => workloads.supports(id);

export async function build(id) {
  const { module, graph, inputs, parameters, step } = workloads.workload(id);
  const compiled = library.compile(module, { target: "webgpu", graphs: [graph] });
  const executable = await library.loadGpu(compiled);
  for (const [name, value] of parameters) executable.write(name, value);
  const [first] = compiled.programs.programs.get(graph).outputs;
  const run = await executable.prepare(graph, { ...inputs, ...step(0) });
  let steps = 0;
  return {
    /** A promise in an object: the harness waits for it when it reads. */
    run: () => ({ outputs: run(step(steps++), { read: [first.name] }) }),
    read: async ({ outputs }) => (await outputs)[first.name].data,
    dispose: () => executable.dispose(),
  };
}
