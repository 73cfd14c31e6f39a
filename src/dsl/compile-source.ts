// From a program to its module: the graphs `infer` and `init` of one model, and the graphs and plan of its training.

import type { Global, Graph, Module } from "../ir/graph.ts";
import type { ModelDeclaration, SourceFile, TrainDeclaration } from "./ast.ts";
import { checkNames } from "./check-names.ts";
import { attempt, attemptAll, type Context, createContext, mistake, report } from "./context.ts";
import { closest, type Diagnostic, errorAt } from "./diagnostics.ts";
import { type Environment, visibleNames } from "./evaluate.ts";
import { addInput, createGraphState, finishGraph } from "./graph-state.ts";
import { openModel, runModel } from "./model.ts";
import { type FileScope, type LoadFile, resolveProgram } from "./resolve.ts";
import { openScope } from "./scope.ts";
import { checkEntries, trainingPlan } from "./train-entries.ts";
import { trainingGraphs } from "./train-graphs.ts";
import type { TrainingPlan } from "./training-plan.ts";
import { modelSource, trainingSource } from "./training-source.ts";

export interface CompileOptions {
  /** The model whose graphs are wanted. Default: the one that is trained, else the last one. */
  readonly model?: string;
}

export interface Compilation {
  /** Absent where there are errors. */
  readonly module?: Module;
  /** Models that the program declares, in order. */
  readonly models: readonly string[];
  /** How the model is trained; absent where no `train` block is for it. */
  readonly plan?: TrainingPlan;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles a program to the graph IR. `loadFile` finds imported files by the path in the import and the importing file. Never throws on account of
 * the program: what is wrong with it is in `diagnostics`.
 */
export function compileSource(entry: SourceFile, loadFile: LoadFile, options: CompileOptions = {}): Compilation {
  const { scope, diagnostics } = resolveProgram(entry, loadFile);
  const models = scope.models.map((model) => model.name.name);
  if (diagnostics.length > 0) return { models, diagnostics };
  const c = createContext(scope.file);
  if (scope.models.length === 0 && scope.trains.length === 0 && options.model === undefined) {
    for (const diagnostic of [...checkNames(scope, visibleNames(environmentOf(scope))), noModel(scope)])
      report(c, diagnostic);
    return { models, diagnostics: inOrder(c.diagnostics) };
  }
  const compiled = attemptAll(c, () => compileModel(c, scope, options));
  for (const diagnostic of checkNames(scope, visibleNames(environmentOf(scope)))) report(c, diagnostic);
  const sound = compiled && c.diagnostics.every((diagnostic) => diagnostic.severity !== "error");
  return { models, diagnostics: inOrder(c.diagnostics), ...(sound ? compiled : {}) };
}

const environmentOf = (file: FileScope): Environment => ({ scope: openScope(), file });

/** A file of blocks for others to import is right as it is, but there is nothing to run; an empty one is a mistake. */
function noModel({ file, declarations }: FileScope): Diagnostic {
  const blocks = [...declarations.values()].some(({ declaration }) => declaration.kind === "block");
  const found = errorAt(file, { start: 0, end: 0 }, "name", `${file.name} declares no model`, {
    help: blocks ? "import its blocks into a program with a model" : "model Name(x: f32[N, 2]) -> (y: f32[N, 1]) { … }",
  });
  return { ...found, severity: blocks ? "warning" : "error" };
}

function compileModel(c: Context, scope: FileScope, options: CompileOptions): { module: Module; plan?: TrainingPlan } {
  const [train, another] = scope.trains;
  if (another)
    report(
      c,
      mistake(c, "train", "a program trains one model", {
        place: { file: scope.file, span: another.name.span },
        help: "put the second train block into a file that imports the model",
      }).diagnostic,
    );
  const { model, file } = mainModel(c, scope, train, options);
  const trained = train && (options.model === undefined || options.model === train.name.name) ? train : undefined;
  const graphs: Graph[] = [];
  addInput(c.init, "key", { dtype: "i32", shape: [2] });
  const infer = inferGraph(c, file, model);
  if (infer) graphs.push(infer);
  let plan: TrainingPlan | undefined;
  if (trained) {
    checkEntries(c, trained);
    const inputs = model.parameters.map((parameter) => parameter.name.name);
    // A broken model would only repeat its mistakes in the graphs of the training.
    const made = infer
      ? trainingGraphs(c, scope, modelSource(model, file), trainingSource(trained))
      : { graphs: [], metrics: [], several: [] };
    graphs.push(...made.graphs);
    plan = attempt(c, () => trainingPlan(c, scope, trained, inputs, made));
  }
  c.graph = c.init;
  const init = finishGraph(c.init, [], new Map([...c.init.current].filter(([name]) => c.globals.has(name))));
  const module: Module = {
    name: model.name.name,
    doc: documentationOf(model, file),
    globals: new Map<string, Global>(c.globals),
    graphs: new Map([init, ...graphs].map((graph) => [graph.name, graph])),
  };
  return { module, ...(plan ? { plan } : {}) };
}

/** What is written of the model, or else at the head of its file, then of its inputs and outputs. */
function documentationOf(model: ModelDeclaration, file: FileScope): string {
  const parts = [...model.parameters, ...model.outputs].flatMap(({ name, doc }) =>
    doc === undefined ? [] : [`- ${name.name}: ${doc.replaceAll("\n", " ")}`],
  );
  return [model.doc ?? file.doc ?? "", parts.join("\n")].filter((text) => text !== "").join("\n\n");
}

function mainModel(
  c: Context,
  scope: FileScope,
  train: TrainDeclaration | undefined,
  options: CompileOptions,
): { model: ModelDeclaration; file: FileScope } {
  const wanted = options.model ?? train?.name.name ?? scope.models.at(-1)?.name.name;
  const start = { file: scope.file, span: { start: 0, end: 0 } };
  if (wanted === undefined)
    throw mistake(c, "name", `${scope.file.name} declares no model`, {
      place: start,
      help: "model Name(x: f32[N, 2]) -> (y: f32[N, 1]) { … }",
    });
  const found = scope.declarations.get(wanted);
  if (found?.declaration.kind === "model") return { model: found.declaration, file: found.scope };
  const names = [...scope.declarations].flatMap(([name, { declaration }]) =>
    declaration.kind === "model" ? [name] : [],
  );
  const near = closest(wanted, names);
  const known = names.length > 0 ? `the models are ${names.join(", ")}` : "there is none";
  throw mistake(c, "name", found ? `${wanted} is not a model` : `there is no model ${wanted}`, {
    place: options.model === undefined && train ? { file: scope.file, span: train.name.span } : start,
    help: near ? `did you mean \`${near}\`?` : known,
  });
}

/** The graph `infer`; undefined where the model has mistakes. */
function inferGraph(c: Context, file: FileScope, model: ModelDeclaration): Graph | undefined {
  const before = c.diagnostics.length;
  const graph = createGraphState("infer", "run", false);
  c.graph = graph;
  const env = openModel(c, file, model);
  const outputs = runModel(c, env, model);
  if (c.diagnostics.length > before) return undefined;
  const values = outputs.flatMap(({ name, value }) => (value.kind === "tensor" ? [{ name, value: value.value }] : []));
  return finishGraph(graph, values, graph.current);
}

const inOrder = (diagnostics: readonly Diagnostic[]): Diagnostic[] =>
  [...diagnostics].sort((a, b) => (a.file === b.file ? a.span.start - b.span.start : 0));
