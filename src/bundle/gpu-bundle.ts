// Emits a standalone ES module for WebGPU: the shaders of one graph, the plan of its dispatches, its weights, and the runtime. Results come
// later there, so it exports a function that creates the model on a device.

import { renderPlan } from "../backends/wgsl/render.ts";
import type { GpuShader } from "../backends/wgsl/runtime/plan.ts";
import type { ProgramModule } from "../ir/kernel/program.ts";
import type { GroupLimits } from "../ir/target.ts";
import type { Bundle, Parts } from "./bundle.ts";
import { toBase64 } from "./bytes.ts";
import { contentsOf, docOf, keepGraph } from "./contents.ts";
import { describeInputs, signature } from "./describe.ts";
import { runtimes } from "./runtime.generated.ts";

export interface GpuParts extends Pick<Parts, "graph" | "weights" | "beside"> {
  /** The module lowered for groups of threads with these limits. */
  readonly lowered: ProgramModule;
  readonly limits: GroupLimits;
}

/** Throws a RangeError for a graph that the module does not have. */
export function renderGpuBundle({ graph, weights, beside, lowered, limits }: GpuParts): Bundle {
  const [module, program] = keepGraph(lowered, graph);
  const { shaders, ...plan } = renderPlan(module, limits, [graph]);
  const contents = contentsOf(module, weights);
  const file = `${beside}.weights.bin`;
  const kept =
    beside === undefined
      ? `fromBase64("${toBase64(contents)}")`
      : `await fromFile(new URL(${JSON.stringify(`./${file}`)}, import.meta.url))`;
  const create = `create${module.name}`;
  const text = [
    `${docOf(module, signature(program))}\nexport function ${create}(options) {\n  return createGpuModel(model, plan, weights, options);\n}`,
    "// The shaders; what they are fused from stands above each.",
    `const shaders = [\n${shaders.map(renderShader).join(",\n")}\n];`,
    "// Their dispatches, in order, with the stretches of memory that each is given. Sizes are polynomials in the free ones.",
    `const plan = { ...${JSON.stringify(plan)}, shaders };`,
    "// What runs them: checks the inputs, lays memory out for their sizes, and submits.",
    runtimes.webgpu,
    ...(beside === undefined ? [] : [runtimes.beside]),
    `const model = ${[...describeInputs(module.name, program), "}"].join("\n")};`,
    `const weights = ${kept};\n`,
  ].join("\n\n");
  return { text, files: new Map(beside === undefined ? [] : [[file, contents]]) };
}

function renderShader({ code, ...shader }: GpuShader): string {
  const literal = code.replaceAll(/[\\`]|\$\{/g, (found) => `\\${found}`);
  return `{ ...${JSON.stringify(shader)}, code: \`\n${literal}\` }`;
}
