#!/usr/bin/env node
// The command `dlm`. In a checkout the TypeScript sources run as they stand (through tsx); an installed package has them
// compiled in dist/.

import { existsSync } from "node:fs";
import * as modules from "node:module";

const source = new URL("../src/cli/main.ts", import.meta.url);
const checkout = existsSync(source);
try {
  if (checkout) (await import("tsx/esm/api")).register();
  loadGrammarLibraryWhole();
} catch (error) {
  if (error?.code !== "ERR_MODULE_NOT_FOUND" && error?.code !== "MODULE_NOT_FOUND") throw error;
  console.error("dlm: the packages that dlm is built with are not installed yet; run `npm install` first");
  process.exit(1);
}
await import(checkout ? source.href : "../dist/cli/main.js");

/**
 * Chevrotain is several hundred modules, whose loading takes most of the time of a short command. It also comes as one
 * file, which its package does not export: loaded instead, it takes a twentieth of that time.
 */
function loadGrammarLibraryWhole() {
  const parts = import.meta.resolve("chevrotain");
  const whole = new URL("../chevrotain.min.mjs", parts);
  if (!existsSync(whole)) return;
  const resolve = (url) => (specifier, context, next) =>
    specifier === "chevrotain" ? { url, format: "module", shortCircuit: true } : next(specifier, context);
  // Node before 22.15 runs hooks in a thread of their own, for which they are a module.
  if (modules.registerHooks) modules.registerHooks({ resolve: resolve(whole.href) });
  else
    modules.register?.(
      `data:text/javascript,export const resolve = (${encodeURIComponent(String(resolve))})(${JSON.stringify(whole.href)})`,
    );
}
