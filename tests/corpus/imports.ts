// Imports that lead nowhere, outside, or round in a circle.

import type { BrokenProgram } from "./case.ts";

const model = "model Net(x: f32[N]) -> (y: f32[N]) {\n  y = x\n}\n";

export const imports: readonly BrokenProgram[] = [
  {
    name: "a file that is not there",
    program: `import { half } from «"./halfs.dlm"»\n${model}`,
    code: "import",
    says: 'there is no file "./halfs.dlm"',
    mend: "looked for halfs.dlm",
  },
  {
    name: "a name that the file does not declare",
    program: `import { «halve» } from "./half.dlm"\n${model}`,
    files: { "half.dlm": "block half(x: f32[...S]) = x / 2\n" },
    code: "import",
    says: "half.dlm does not declare halve",
    mend: "it declares half",
  },
  {
    name: "a circle of two",
    program: `import { a } from "./a.dlm"\n${model}`,
    files: { "a.dlm": 'import { Net } from «"./main.dlm"»\nblock a(x: f32[N]) = x\n' },
    code: "import",
    says: "the imports go in a circle: main.dlm → a.dlm → main.dlm",
  },
  {
    name: "a file that imports itself",
    program: `import { Net } from «"./main.dlm"»\n${model}`,
    code: "import",
    says: "the imports go in a circle: main.dlm → main.dlm",
  },
  {
    name: "a circle of three",
    program: `import { a } from "./a.dlm"\n${model}`,
    files: {
      "a.dlm": 'import { b } from "./b.dlm"\nblock a(x: f32[N]) = b(x)\n',
      "b.dlm": 'import { a } from «"./a.dlm"»\nblock b(x: f32[N]) = x\n',
    },
    code: "import",
    says: "the imports go in a circle: a.dlm → b.dlm → a.dlm",
  },
  {
    name: "a file above the folder",
    program: `import { secret } from «"../secret.dlm"»\n${model}`,
    files: { "../secret.dlm": "block secret(x: f32[N]) = x\n" },
    code: "import",
    says: 'the import "../secret.dlm" leads out of the program\'s folder',
  },
  {
    name: "a file above the folder by a detour",
    program: `import { secret } from «"./deep/../../secret.dlm"»\n${model}`,
    code: "import",
    says: "leads out of the program's folder",
  },
  {
    name: "an absolute path",
    program: `import { root } from «"/etc/passwd"»\n${model}`,
    code: "import",
    says: "is not a path beside this file",
    mend: 'write "./etc/passwd"',
  },
  {
    name: "a package",
    program: `import { layers } from «"layers"»\n${model}`,
    code: "import",
    says: 'the import "layers" is not a path beside this file',
    mend: 'write "./layers"',
  },
  {
    name: "a mistake in an imported file",
    program: `import { half } from "./half.dlm"\nmodel Net(x: f32[N]) -> (y: f32[N]) {\n  y = half(x)\n}\n`,
    files: { "half.dlm": "block half(x: f32[...S]) = «y» / 2\n" },
    code: "name",
    says: "there is no y",
  },
  {
    name: "a name imported twice",
    program: `import { half } from "./half.dlm"\nimport { «half» } from "./other.dlm"\n${model}`,
    files: { "half.dlm": "block half(x: f32[...S]) = x / 2\n", "other.dlm": "block half(x: f32[...S]) = x * 0.5\n" },
    code: "name",
    says: "half is declared twice",
  },
];
