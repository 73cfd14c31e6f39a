// Turns the runtime of bundles into the text that the bundle emitter prints: one definition, tested as TypeScript.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Writes src/bundle/runtime.generated.ts. */
export async function embedRuntime(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [path("../src/backends/js/runtime/standalone.ts")],
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
    charset: "utf8",
  });
  const text = (outputFiles[0]?.text ?? "").replaceAll(/^\/\/ .*\n/gm, "").replace(/export \{[^}]*\};\n?/, "");
  const header = "// Generated from src/backends/js/runtime/standalone.ts by `npm run generate`.\n\n";
  writeFileSync(
    path("../src/bundle/runtime.generated.ts"),
    `${header}export const standaloneRuntime = ${JSON.stringify(text)};\n`,
  );
}
