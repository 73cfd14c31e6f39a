// `npm run demo`: installs what is missing, then runs tools/demo.ts, which needs the installed packages.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { installMissing, root } from "./install.mjs";

installMissing();
const script = join(root, "tools", "demo.ts");
const { status } = spawnSync(process.execPath, ["--import", "tsx", script, ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
