// dlm explain: a page that shows which parts of the inputs decided, by a method of the library.

import { basename, join } from "node:path";
import { type Command, Option } from "commander";
import type { TargetName } from "../compile.ts";
import { type Method, methods } from "../explain/program.ts";
import type { Tensor } from "../ir/dtype.ts";
import type { Explanation } from "../report/explanation.ts";
import { UserError } from "../util/user-error.ts";
import { wholeNumber } from "./numbers.ts";
import type { Source } from "./source.ts";
import { chosenTarget, targetOption } from "./target.ts";

interface Options {
  readonly target: TargetName;
  readonly weights: string;
  readonly input?: string;
  readonly data?: string;
  readonly rows: number;
  readonly method: Method;
  readonly model?: string;
  readonly output?: string;
  readonly class?: number;
  readonly layer?: string;
  readonly patch?: number;
  readonly steps?: number;
  readonly out: string;
}

export function addExplain(program: Command): void {
  program
    .command("explain")
    .description("make a page that shows which parts of the inputs decided")
    .argument("<file>", "a .dlm file")
    .requiredOption("--weights <file>", "weights.safetensors, as dlm train leaves it")
    .option("--input <file>", "rows to explain (safetensors, npy, JSON); default the first of the program's test data")
    .option("--data <dir>", "where the data files are; default beside the program")
    .option("--rows <n>", "explain at most so many rows", wholeNumber(1), 12)
    .addOption(new Option("--method <name>", "how to explain").choices(methods).default("saliency"))
    .option("--class <n>", "the class to ask about; default the one that each row scores highest", wholeNumber(0))
    .option("--output-name <name>", "the output that holds the scores, where the model has several")
    .option("--layer <path>", "grad_cam: the call to look into, such as relu_1; default the last features of an image")
    .option("--patch <n>", "occlusion: the side of the squares, in pixels; default 4", wholeNumber(1))
    .option("--steps <n>", "integrated_gradients: pieces of the way from the baseline; default 32", wholeNumber(1))
    .option("--model <name>", "the model to explain, where the file declares several")
    .addOption(targetOption("auto"))
    .option("-o, --out <file>", "the page to write", "explanation.html")
    .action(async (file: string, options: Options & { readonly outputName?: string }) => {
      const { explanationProgram } = await import("../explain/program.ts");
      const { writeWhole } = await import("../formats/node/files.ts");
      const { explanationPage } = await import("../report/explanation.ts");
      const { libraryDeclaration } = await import("../dsl/library.ts");
      const { loadSource, loadText } = await import("./source.ts");
      const { withWeights } = await import("./weights.ts");
      const source = loadSource(file, options.model);
      const { module } = source;
      const infer = module.graphs.get("infer")!;
      const { text, input } = explanationProgram(infer, {
        ...options,
        model: module.name,
        file: `./${basename(file)}`,
        ...(options.outputName === undefined ? {} : { output: options.outputName }),
      });
      const explaining = loadText(join(source.directory, `explanation of ${basename(file)}`), text);
      const { executable } = await withWeights(explaining, ["infer"], options.weights, await chosenTarget(options));
      const rows = await rowsToExplain(source, input.name, options);
      const { heat, scores } = await executable.run("infer", {
        [input.name]: rows.tensor,
        ...keyOf(explaining),
      });
      executable.dispose?.();
      const doc = libraryDeclaration(options.method)?.declaration.doc ?? "";
      const page = explanationPage({
        model: module.name,
        method: options.method,
        doc,
        shape: rows.tensor.shape.slice(1),
        ...(rows.classes ? { classes: rows.classes } : {}),
        ...(options.class === undefined ? {} : { asked: options.class }),
        rows: explainedRows(rows, heat!, scores!),
      });
      await writeWhole(options.out, page);
      process.stdout.write(`${options.out}: ${options.method} of ${rows.tensor.shape[0]} rows\n`);
    });
}

interface Rows {
  readonly tensor: Tensor;
  readonly labels?: ArrayLike<number>;
  readonly classes?: readonly string[];
}

/** The rows of --input, or the first rows of the program's test data, with labels where it has one target of classes. */
async function rowsToExplain(source: Source, input: string, options: Options): Promise<Rows> {
  if (options.input !== undefined) {
    const { readInputs } = await import("./inputs.ts");
    const tensor = (await readInputs(source.module, options.input, 0))[input]!;
    return { tensor: firstRows(tensor, options.rows) };
  }
  const { plan } = source;
  if (!plan)
    throw new UserError(
      "the program has no train block, so it names no rows to explain",
      "pass some with --input FILE",
    );
  const { loadTrainingData } = await import("../train/data/load.ts");
  const { dataFiles } = await import("../train/node/data-files.ts");
  const { gatherColumn } = await import("../train/data/dataset.ts");
  const { columnTypes } = await import("../train/session.ts");
  const files = dataFiles(source.directory, options.data);
  const { data, test } = await loadTrainingData(plan, columnTypes(source.module, plan), files);
  const { columns, classes, rows } = test ?? data;
  const first = Array.from({ length: Math.min(options.rows, rows) }, (_, row) => row);
  const [target] = plan.targets;
  const label = target === undefined ? undefined : columns[target];
  const names = target === undefined ? undefined : classes[target];
  return {
    tensor: gatherColumn(columns[input]!, first),
    ...(label?.dtype === "i32" && label.shape.length === 1 ? { labels: gatherColumn(label, first).data } : {}),
    ...(names ? { classes: names } : {}),
  };
}

function firstRows({ dtype, shape, data }: Tensor, count: number): Tensor {
  const rows = Math.min(count, shape[0] ?? 0);
  const width = shape.slice(1).reduce((a, b) => a * b, 1);
  return { dtype, shape: [rows, ...shape.slice(1)], data: data.slice(0, rows * width) };
}

/** Models that draw random numbers are explained for one draw. */
const keyOf = ({ graphs }: Source["module"]): Record<string, Tensor> =>
  graphs.get("infer")!.inputs.some(({ name }) => name === "key")
    ? { key: { dtype: "i32", shape: [2], data: Int32Array.of(0, 0) } }
    : {};

function explainedRows({ tensor, labels }: Rows, heat: Tensor, scores: Tensor): Explanation["rows"] {
  const rowOf = ({ shape, data }: Tensor, row: number): number[] => {
    const width = shape.slice(1).reduce((a, b) => a * b, 1);
    return Array.from(data.subarray(row * width, (row + 1) * width), Number);
  };
  return Array.from({ length: tensor.shape[0]! }, (_, row) => ({
    values: rowOf(tensor, row),
    heat: rowOf(heat, row),
    scores: rowOf(scores, row),
    ...(labels?.[row] === undefined ? {} : { label: labels[row] }),
  }));
}
