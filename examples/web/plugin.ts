// A plugin for Vite: `import { Digits } from "./digits.dlm?target=wasm"` is the bundle of that program, with the weights that lie beside it
// as digits.safetensors.

import { readFileSync } from "node:fs";
import type { Plugin } from "vite";
import { type BundleTarget, bundle, bundleTargets } from "../../src/bundle.ts";
import { compile, load } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { renderDiagnostics } from "../../src/dsl/diagnostics.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { loadWeights } from "../../src/train/weights.ts";

/** `model` names the one to emit, where programs declare several. */
export function dlm({ model }: { readonly model?: string } = {}): Plugin {
  return {
    name: "dlm",
    load(id) {
      const [path = "", query] = id.split("?");
      if (!path.endsWith(".dlm")) return undefined;
      const wanted = new URLSearchParams(query).get("target") ?? "auto";
      const target = bundleTargets.find((name): name is BundleTarget => name === wanted);
      if (!target) throw new Error(`${id}: the target is one of ${bundleTargets.join(", ")}`);
      const source = { name: path, text: readFileSync(path, "utf8") };
      const { module, diagnostics } = compileSource(source, () => undefined, model === undefined ? {} : { model });
      if (!module) throw new Error(renderDiagnostics(diagnostics));
      const file = path.replace(/\.dlm$/, ".safetensors");
      const { tensors } = readSafetensors(readFileSync(file), file);
      const executable = load(compile(module, { graphs: ["infer"] }));
      loadWeights(executable, module.globals.values(), tensors, file);
      return { code: bundle(module, { target, weights: executable.read }).text, map: null };
    },
  };
}
