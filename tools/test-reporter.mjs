// A reporter for vitest that leaves counts and names in the file $DLM_TEST_SUMMARY, for tools/test.mjs to print.

import { writeFileSync } from "node:fs";

export default class {
  onTestRunEnd(modules, errors) {
    let passed = 0;
    const failed = errors.map((error) => `outside any test: ${error.message}`);
    const skipped = [];
    for (const module of modules) {
      const file = module.relativeModuleId ?? module.moduleId;
      // A file that does not load has no tests, but it is a failure; so is a hook that throws around a suite.
      if (module.errors().length > 0) failed.push(`${file} could not be loaded`);
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length > 0) failed.push(`${file} > ${suite.fullName}`);
      }
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        const name = `${file} > ${test.fullName}`;
        if (state === "passed") passed++;
        else if (state === "failed") failed.push(name);
        else skipped.push(name);
      }
    }
    writeFileSync(process.env.DLM_TEST_SUMMARY, JSON.stringify({ passed, failed, skipped }));
  }
}
