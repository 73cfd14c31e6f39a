// Emits a standalone ES module: the kernels of one graph, its weights, and the few functions that run it. No import, no `eval`.

import { renderModule } from "../backends/js/render.ts";
import { align, globalOffsets } from "../backends/runtime/layout.ts";
import { encodeModule } from "../backends/wasm/encode.ts";
import { relaxedSimdProbe, simdProbe } from "../backends/wasm/features.ts";
import { renderGraphs } from "../backends/wasm/render.ts";
import type { Tensor } from "../ir/dtype.ts";
import type { ProgramModule } from "../ir/kernel/program.ts";
import { toBase64, toCharacters } from "./bytes.ts";
import { contentsOf, docOf, keepGraph } from "./contents.ts";
import { describe, signature } from "./describe.ts";
import { runtimes } from "./runtime.generated.ts";

export interface Parts {
  readonly graph: string;
  /** Reads a parameter or state by full name. */
  readonly weights: (name: string) => Tensor;
  /** The module lowered for JavaScript, if the bundle shall run as that. */
  readonly js?: ProgramModule;
  /** Lowered for WebAssembly, with relaxed SIMD's multiply-add and without; tried before JavaScript. */
  readonly wasm?: { readonly relaxed: ProgramModule; readonly plain: ProgramModule };
  /** The name of the module's file without its end, where weights and WebAssembly shall lie in files beside it. */
  readonly beside?: string;
}

export interface Bundle {
  /** An ES module that exports one function, called like the model, from named inputs to named outputs. */
  readonly text: string;
  /** The files beside it, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Throws a RangeError for a graph that the module does not have. */
export function renderBundle({ graph, weights, js, wasm, beside }: Parts): Bundle {
  const lowered = js ?? wasm?.plain;
  if (!lowered) throw new RangeError("a bundle runs as JavaScript, as WebAssembly, or as both");
  const [module, program] = keepGraph(lowered, graph);
  const offsets = globalOffsets(module);
  const contents = contentsOf(module, weights);
  const files = new Map<string, Uint8Array>();
  const file = (name: string, bytes: Uint8Array): string => {
    files.set(name, bytes);
    return `fromFile(new URL(${JSON.stringify(`./${name}`)}, import.meta.url))`;
  };
  const kept =
    beside === undefined ? `fromBase64("${toBase64(contents)}")` : `await ${file(`${beside}.weights.bin`, contents)}`;
  const binary = (from: ProgramModule, probe: Uint8Array, fma: boolean): string => {
    const [kernels] = keepGraph(from, graph);
    const { functions, scratchBytes } = renderGraphs(kernels, [...kernels.programs.keys()], { fma });
    const bytes = encodeModule({ functions, memoryPages: 1 });
    const code =
      beside === undefined
        ? `fromCharacters(${toCharacters(bytes)})`
        : file(`${beside}${fma ? ".relaxed" : ""}.wasm`, bytes);
    const extraBytes = align(4 * program.buffers.length) + scratchBytes;
    return `  {\n    probe: ${toCharacters(probe)},\n    code: () => ${code},\n    extraBytes: ${extraBytes},\n  },`;
  };
  // WebAssembly and JavaScript may have different things to make ahead of runs, and room for the larger of them.
  const lowerings = [js, wasm?.relaxed, wasm?.plain].filter((from) => from !== undefined);
  const keptBytes = Math.max(...lowerings.map((from) => globalOffsets(keepGraph(from, graph)[0]).bytes));
  const runsJs = `jsMachine(${JSON.stringify(graph)}, weights, create)`;
  const machine = wasm
    ? [
        `await wasmMachine(${JSON.stringify(module.name)}, ${JSON.stringify(graph)}, weights, [`,
        "  // With relaxed SIMD's multiply-add where the engine has it, and without.",
        binary(wasm.relaxed, relaxedSimdProbe(), true),
        binary(wasm.plain, simdProbe(), false),
        js ? `], () => ${runsJs})` : "])",
      ].join("\n")
    : runsJs;
  const text = [
    `${docOf(module, signature(program))}\nexport function ${module.name}(inputs) {\n  return model(inputs);\n}`,
    ...(js
      ? [
          "// The kernels, over one memory; what they are fused from stands above each.",
          renderModule(module).replace(/^export /, ""),
        ]
      : []),
    "// What runs them: checks the inputs, and lays memory out for their sizes.",
    runtimes[wasm ? (js ? "auto" : "wasm") : "js"],
    ...(beside === undefined ? [] : [runtimes.beside]),
    `const weights = ${kept};`,
    `const machine = ${machine};`,
    `const model = createModel(${describe(module.name, program, offsets.byName)}, ${keptBytes}, machine);\n`,
  ].join("\n\n");
  return { text, files };
}
