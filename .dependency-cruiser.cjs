// Who may import whom, as ARCHITECTURE.md draws it. Checked by `npm run lint`.

/** A rule that what lies under `from` imports only what lies under one of `allowed` (and its own folder's files). */
const only = (name, from, allowed, comment, options = {}) => ({
  name,
  comment,
  severity: "error",
  from: { path: from, ...(options.except ? { pathNot: options.except } : {}) },
  to: { path: "^src/", pathNot: allowed, ...(options.to ?? {}) },
});

const evaluator =
  "^src/dsl/(evaluate|scan|indexing|call|signature|statements|model|globals|types|notation/[a-z]+)\\.ts$";

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment:
        "Data flows one way. Types may refer to each other (an operation's declaration and the helper that makes its nodes), " +
        "and the evaluator of the language is recursive as the language is: expressions hold calls and scans, these run statements.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] }, via: { pathNot: evaluator } },
    },
    {
      name: "runs-in-a-browser",
      comment: "Only the command line, file-backed data and the generators of files may use Node's own modules.",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/cli/", "^src/[^/]+/node/"] },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "node-folders",
      comment: "What needs Node stays behind the command line: nothing else imports a `node/` folder.",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/cli/", "^src/[^/]+/node/"] },
      to: { path: "^src/[^/]+/node/" },
    },
    only("util-is-the-ground", "^src/util/", ["^src/util/"], "Helpers know nothing of the compiler."),
    only("ir-stands-alone", "^src/ir/", ["^src/ir/", "^src/util/"], "The IR is data that everything else works on."),
    only("dsl-makes-graphs", "^src/dsl/", ["^src/dsl/", "^src/ir/", "^src/util/"], "The language only builds graphs."),
    only("passes-rewrite-ir", "^src/passes/", ["^src/passes/", "^src/ir/", "^src/util/"], "Passes see only IR."),
    only(
      "backends-see-kernels",
      "^src/backends/",
      [
        "^src/backends/",
        "^src/util/",
        "^src/ir/kernel/",
        "^src/ir/(target|dtype|dim|graph|memory-plan|requirement|sizes|attributes|location)\\.ts$",
      ],
      "A back-end never sees a graph operation: it renders kernels, and knows the data around them.",
    ),
    {
      ...only(
        "runtime-is-small",
        "^src/backends/.*runtime/",
        ["^src/backends/.*runtime/"],
        "Bundles carry the runtime: it takes nothing of the compiler but types.",
      ),
      to: { path: "^src/", pathNot: ["^src/backends/.*runtime/"], dependencyTypesNot: ["type-only"] },
    },
    only(
      "formats-know-tensors",
      "^src/formats/",
      ["^src/formats/", "^src/ir/dtype\\.ts$", "^src/util/"],
      "Files hold tensors.",
    ),
    only(
      "train-sees-what-it-runs",
      "^src/train/",
      [
        "^src/train/",
        "^src/formats/",
        "^src/util/",
        "^src/backends/backend\\.ts$",
        "^src/ir/(dtype|dim|graph|sizes|threefry)\\.ts$",
        "^src/dsl/(training-plan|data-signatures|data-arguments)\\.ts$",
      ],
      "The training loop runs executables by the plan; it knows nothing of the language or of passes.",
    ),
    only(
      "bundle-sees-what-it-writes",
      "^src/bundle/",
      ["^src/bundle/", "^src/backends/", "^src/formats/", "^src/ir/", "^src/util/"],
      "A bundle is an executable, written down.",
    ),
    only(
      "explain-writes-programs",
      "^src/explain/",
      ["^src/explain/", "^src/ir/", "^src/util/"],
      "Explanations are programs.",
    ),
    only("report-draws-data", "^src/report/", ["^src/report/", "^src/util/"], "Pages are made of plain data."),
    {
      name: "top-stays-on-top",
      comment: "The files at the top of src and the command line see everything; nothing below imports them.",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/[^/]+\\.ts$", "^src/cli/"] },
      to: { path: ["^src/[^/]+\\.ts$", "^src/cli/"] },
    },
    {
      name: "only-declared-packages",
      comment: "webgpu is an optional peer, and installed here for the tests.",
      severity: "error",
      from: { path: "^src/" },
      to: {
        pathNot: "node_modules/webgpu/",
        dependencyTypes: ["npm-no-pkg", "npm-unknown", "unknown", "undetermined", "npm-dev"],
      },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      extensions: [".ts", ".mjs", ".js"],
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
    },
  },
};
