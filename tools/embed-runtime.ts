// Turns the runtime of bundles into the texts that the bundle emitter prints: one definition, tested as TypeScript.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const js = { "js/runtime/model.ts": ["createModel"], "js/runtime/machine.ts": ["jsMachine"] };
const wasm = { "js/runtime/model.ts": ["createModel"], "wasm/runtime/machine.ts": ["wasmMachine"] };
/** For each kind of bundle what it calls, by the file that has it; `beside` comes on top where files lie beside the module. */
const kinds = {
  js: { ...js, "js/runtime/bytes.ts": ["fromBase64"] },
  wasm: { ...wasm, "js/runtime/bytes.ts": ["fromBase64", "fromCharacters"] },
  auto: { ...js, ...wasm, "js/runtime/bytes.ts": ["fromBase64", "fromCharacters"] },
  webgpu: { "wgsl/runtime/model.ts": ["createGpuModel"], "js/runtime/bytes.ts": ["fromBase64"] },
  beside: { "js/runtime/files.ts": ["fromFile"] },
};

/** Writes src/bundle/runtime.generated.ts. */
export async function embedRuntime(): Promise<void> {
  const entries = Object.entries(kinds).map(async ([kind, files]) => {
    const contents = Object.entries(files).map(([file, names]) => `export { ${names.join(", ")} } from "./${file}";`);
    const { outputFiles } = await build({
      stdin: { contents: contents.join("\n"), resolveDir: path("../src/backends") },
      bundle: true,
      format: "esm",
      target: "es2022",
      write: false,
      charset: "utf8",
    });
    const text = (outputFiles[0]?.text ?? "").replaceAll(/^\/\/ .*\n/gm, "").replace(/export \{[^}]*\};\n?/, "");
    return `  ${kind}: ${JSON.stringify(text)},\n`;
  });
  const header = "// Generated from src/backends/*/runtime by `npm run generate`.\n\n";
  const body = (await Promise.all(entries)).join("");
  writeFileSync(path("../src/bundle/runtime.generated.ts"), `${header}export const runtimes = {\n${body}} as const;\n`);
}
