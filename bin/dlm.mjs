#!/usr/bin/env node
// The command `dlm`. In a checkout the TypeScript sources run as they stand (through tsx); an installed package has them
// compiled in dist/.

import { existsSync } from "node:fs";

const source = new URL("../src/cli/main.ts", import.meta.url);
if (existsSync(source)) {
  let register;
  try {
    ({ register } = await import("tsx/esm/api"));
  } catch (error) {
    if (error?.code !== "ERR_MODULE_NOT_FOUND") throw error;
    console.error("dlm: the packages that dlm is built with are not installed yet; run `npm install` first");
    process.exit(1);
  }
  register();
  await import(source.href);
} else {
  await import("../dist/cli/main.js");
}
