// Installs what package-lock.json asks for, when it is not there yet: `npm test` and `npm run demo` are each complete on a
// machine that has only Node and npm. Plain JavaScript, since nothing that could compile TypeScript may be installed.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const oldestNode = 20;

/** Ends the process with a message where Node is too old or the installation fails. */
export function installMissing() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < oldestNode) {
    console.error(`This needs Node ${oldestNode} or newer; this is Node ${process.versions.node}.`);
    process.exit(1);
  }
  const missing = firstMissing();
  if (missing === undefined) return;
  console.log(`Installing the packages that package-lock.json names (${missing} is missing or of another version) …`);
  const ci = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (ci.status !== 0) {
    console.error("`npm ci` failed; what it says above tells why. Once it succeeds, run this command again.");
    process.exit(1);
  }
}

/** The first locked package that node_modules lacks or has in another version; packages for other platforms do not count. */
function firstMissing() {
  const wanted = packagesIn(join(root, "package-lock.json"));
  const present = packagesIn(join(root, "node_modules", ".package-lock.json"));
  for (const [path, { version, optional, devOptional }] of Object.entries(wanted)) {
    if (path === "") continue;
    const found = present[path];
    if (!found && (optional || devOptional)) continue;
    if (found?.version !== version || !existsSync(join(root, path))) return path.replace(/^.*node_modules\//, "");
  }
  return undefined;
}

function packagesIn(lockFile) {
  if (!existsSync(lockFile)) return {};
  return JSON.parse(readFileSync(lockFile, "utf8")).packages ?? {};
}
