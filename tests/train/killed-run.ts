// A training run as a process of its own, for kill.test.ts: `killed-run.ts DIR [--resume]`. Each step takes a while, so
// that there is time to kill it.

import { interruptedExitCode, interruptible } from "../../src/cli/interrupt.ts";
import { trainingProgress } from "../../src/cli/progress.ts";
import { train } from "../../src/train/loop.ts";
import { folderStore } from "../../src/train/node/folder-store.ts";
import { fakeExecutable, line, module, plan } from "./fake.ts";

const [directory = ".", resume] = process.argv.slice(2);
const executable = fakeExecutable();
executable.onStep = () => {
  const until = performance.now() + 3;
  while (performance.now() < until);
};
const { signal } = interruptible();
const { report } = trainingProgress({ json: true });
process.stdout.write("ready\n");
const store = await folderStore(directory);
const { status } = await train({
  executable,
  module,
  plan: { ...plan, epochs: 12, validation: { share: 0.2, from: "random" } },
  data: line(60),
  store,
  resume: resume === "--resume",
  report,
  signal,
  pace: { epochSeconds: 0, stepSeconds: 0.02 },
});
await store.close?.();
process.exit(status === "done" ? 0 : interruptedExitCode);
