// `npm run reference -- DIR [--only PATTERN] [--json] [--source]`: compares the whole compiler, from `.dlm` text to generated JavaScript, with
// PyTorch's values in DIR: outputs and gradients. Ends with 1 where a covered case fails.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readCases } from "./reference/case.ts";
import { formatReport, totalsOf } from "./reference/report.ts";
import { runCase } from "./reference/run.ts";
import { programFor } from "./reference/table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean" }, source: { type: "boolean" }, only: { type: "string" } },
});
const [folder] = positionals;
if (folder === undefined || !existsSync(join(folder, "index.json"))) {
  console.error("npm run reference -- DIR [--only PATTERN] [--source] [--json]");
  console.error(
    folder === undefined ? "DIR is missing: a folder with index.json" : `there is no ${join(folder, "index.json")}`,
  );
  process.exit(2);
}

const pattern = new RegExp(values.only ?? "");
const results = readCases(folder, (name) => pattern.test(name)).map((c) => runCase(c, programFor(c)));
if (values.source) for (const { name, source } of results) if (source) console.log(`// ${name}\n${source}`);
const totals = totalsOf(results);
console.log(
  values.json
    ? JSON.stringify({ ...totals, cases: results.map(({ source, ...rest }) => rest) }, undefined, 1)
    : formatReport(results),
);
process.exitCode = totals.failed > 0 ? 1 : 0;
