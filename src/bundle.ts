// From a module to the text of a standalone one: through the passes once, then lowered for everything that the bundle may run on.

import { type Bundle, renderBundle } from "./bundle/bundle.ts";
import { renderGpuBundle } from "./bundle/gpu-bundle.ts";
import { compile } from "./compile.ts";
import type { Tensor } from "./ir/dtype.ts";
import type { Module } from "./ir/graph.ts";
import type { ProgramModule } from "./ir/kernel/program.ts";
import { jsTarget, type Target, wasmTarget, webgpuTarget } from "./ir/target.ts";
import { lowerModule } from "./passes/lower/index.ts";

/** `auto` is WebAssembly, and JavaScript for engines that have none with SIMD or may not compile it. */
export const bundleTargets = ["js", "wasm", "webgpu", "auto"] as const;
export type BundleTarget = (typeof bundleTargets)[number];

export interface BundleOptions {
  /** Reads a parameter or state by full name, as an executable does. */
  readonly weights: (name: string) => Tensor;
  /** Default auto. */
  readonly target?: BundleTarget;
  /** The graph that the bundle runs; default infer. */
  readonly graph?: string;
  /** The name of the module's file without its end, where weights and WebAssembly shall lie in files beside it, not inside. */
  readonly beside?: string;
}

/** A standalone ES module of one graph. Throws a RangeError for a graph that the module does not have. */
export function bundle(module: Module, options: BundleOptions): Bundle {
  const { target = "auto", graph = "infer", weights, beside } = options;
  const { module: planned } = compile(module, { graphs: [graph] });
  const lower = (to: Target): ProgramModule => lowerModule(planned, { target: to });
  const named = beside === undefined ? {} : { beside };
  if (target === "webgpu") {
    const { groups: limits } = webgpuTarget;
    return renderGpuBundle({ graph, weights, lowered: lower(webgpuTarget), limits, ...named });
  }
  const wasm = () => ({ relaxed: lower(wasmTarget({ fma: true })), plain: lower(wasmTarget({ fma: false })) });
  return renderBundle({
    graph,
    weights,
    ...(target === "wasm" ? {} : { js: lower(jsTarget) }),
    ...(target === "js" ? {} : { wasm: wasm() }),
    ...named,
  });
}
