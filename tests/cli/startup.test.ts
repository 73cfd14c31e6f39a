// What a command waits for before it begins: only the options. Compiler, formats and generators come with the command.

import { join } from "node:path";
import { build } from "esbuild";
import { expect, it } from "vitest";

it("the command line loads nothing of the compiler before a command asks for it", async () => {
  const { metafile } = await build({
    entryPoints: [join(import.meta.dirname, "../../src/cli/main.ts")],
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    packages: "external",
    outdir: "out",
    write: false,
    metafile: true,
  });
  const { outputs } = metafile;
  const waiting = Object.keys(outputs).filter((name) => outputs[name]?.entryPoint?.endsWith("cli/main.ts"));
  const loaded = new Set<string>();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    loaded.add(name);
    for (const { path, kind } of outputs[name]?.imports ?? [])
      if (kind === "import-statement" && !loaded.has(path)) waiting.push(path);
  }
  const packages = [...loaded].filter((name) => !outputs[name] && !name.startsWith("node:"));
  expect(packages.sort()).toEqual(["commander", "picocolors"]);
  const bytes = [...loaded].reduce((sum, name) => sum + (outputs[name]?.bytes ?? 0), 0);
  expect(bytes).toBeLessThan(60_000);
});
