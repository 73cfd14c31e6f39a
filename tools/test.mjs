// `npm test`: installs what is missing, runs every test (arguments are vitest's: names of files, -t PATTERN …), and ends
// with one plain line, `N passed, N failed, N skipped`, after the names of the tests that were skipped.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installMissing, root } from "./install.mjs";

installMissing();

const folder = mkdtempSync(join(tmpdir(), "dlm-test-"));
const summaryFile = join(folder, "summary.json");
try {
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=default", `--reporter=${join(root, "tools", "test-reporter.mjs")}`];
  const { status } = spawnSync(process.execPath, [vitest, "run", ...reporters, ...process.argv.slice(2)], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, DLM_TEST_SUMMARY: summaryFile },
  });
  const failed = printSummary();
  // A run without a single test, or one that vitest itself gave up, is no success.
  process.exitCode = status === 0 && failed === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function printSummary() {
  let summary;
  try {
    summary = JSON.parse(readFileSync(summaryFile, "utf8"));
  } catch {
    console.log("vitest ended without results");
    return 1;
  }
  const { passed, failed, skipped } = summary;
  if (skipped.length > 0) {
    console.log(`\nSkipped (${skipped.length}), because of what is not on this machine:`);
    for (const name of skipped) console.log(`  ${name}`);
  }
  if (failed.length > 0) {
    console.log(`\nFailed (${failed.length}):`);
    for (const name of failed) console.log(`  ${name}`);
  }
  console.log(`\n${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  return failed.length;
}
