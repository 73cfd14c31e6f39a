// Renders a lowered module as JavaScript: `create(memory)` makes typed arrays over one memory, functions for the kernels, and
// for each graph a function that calls them in order. Offsets in memory come from `runtime/layout.ts`.

import { formatDim } from "../../ir/dim.ts";
import { bytesOf, type DType, dtypes } from "../../ir/dtype.ts";
import type { TensorType } from "../../ir/graph.ts";
import { kernelsIn, type Program, type ProgramModule, type Step } from "../../ir/kernel/program.ts";
import type { Kernel } from "../../ir/kernel/types.ts";
import type { Place } from "../../ir/memory-plan.ts";
import { createNames, type Names } from "../names.ts";
import { globalOffsets } from "../runtime/layout.ts";
import { renderDim } from "./dimension.ts";
import { type HelperName, helperText } from "./helpers.ts";
import { javascript } from "./names.ts";
import { renderKernel, sharedIdentifiers, views } from "./render-kernel.ts";

/**
 * The text of `function create(memory)`, which returns the functions of the graphs by name. A graph's function takes its
 * free sizes, the byte offsets of its inputs in order, and a list of the byte offsets of the buffers of its arena.
 * `graphs` are the graphs to render, all of them by default.
 */
export function renderModule(module: ProgramModule, graphs: readonly string[] = [...module.programs.keys()]): string {
  const names = createNames(sharedIdentifiers, javascript);
  const programs = graphs.map((graph) => {
    const program = module.programs.get(graph);
    if (!program) throw new RangeError(`${module.name} has no graph ${graph}`);
    return { program, identifier: names.make(graph) };
  });
  const offsets = globalOffsets(module);
  const types = new Map([...[...module.globals].map(([name, { type }]) => [name, type] as const), ...module.kept]);
  const globals = new Map([...types.keys()].map((name) => [name, names.make(name)]));
  const kernels = renderKernels(
    programs.flatMap(({ program }) => kernelsIn(program.steps)),
    names,
  );
  const usedGlobals = new Set<string>();
  const entries = programs.map(({ program, identifier }) =>
    renderGraph(program, identifier, {
      kernel: (kernel) => kernels.functions.get(kernel)!,
      global: (name) => {
        usedGlobals.add(name);
        return globals.get(name)!;
      },
      types,
      useView: (dtype) => kernels.views.add(dtype),
    }),
  );
  const usedViews = dtypes.filter((dtype) => kernels.views.has(dtype) && dtype !== "bool");
  if (kernels.views.has("bool") && !usedViews.includes("u8")) usedViews.push("u8");
  const constants = [...globals].filter(([name]) => usedGlobals.has(name));
  const sections = [
    usedViews.map((dtype) => `const ${views[dtype].name} = new ${views[dtype].array}(memory);`).join("\n"),
    constants.length === 0
      ? ""
      : `// Parameters and states, and what is made of them: offsets of their first bytes.\n${constants
          .map(
            ([name, identifier]) =>
              `const ${identifier} = ${offsets.byName.get(name)}; // ${describeType(types.get(name)!)}`,
          )
          .join("\n")}`,
    ...helperText(kernels.helpers),
    ...kernels.texts,
    ...entries,
    `return { ${programs.map(({ program, identifier }) => (program.name === identifier ? identifier : `${JSON.stringify(program.name)}: ${identifier}`)).join(", ")} };`,
  ];
  const body = sections.filter((section) => section !== "").join("\n\n");
  return `export function create(memory) {\n${body.replaceAll(/^(?=.)/gm, "  ")}\n}\n`;
}

const describeType = (type: TensorType): string => `${type.dtype}[${type.shape.map(formatDim).join(", ")}]`;

interface RenderedKernels {
  readonly functions: ReadonlyMap<Kernel, string>;
  readonly texts: readonly string[];
  readonly helpers: ReadonlySet<HelperName>;
  readonly views: Set<DType>;
}

/** One function for kernels of one body, even between graphs. */
function renderKernels(kernels: readonly Kernel[], names: Names): RenderedKernels {
  const functions = new Map<Kernel, string>();
  const identifiers = new Map<Kernel["body"], string>();
  const texts: string[] = [];
  const helpers = new Set<HelperName>();
  const usedViews = new Set<DType>();
  for (const kernel of new Set(kernels)) {
    const known = identifiers.get(kernel.body);
    if (known !== undefined) {
      functions.set(kernel, known);
      continue;
    }
    const identifier = names.make(kernel.name);
    identifiers.set(kernel.body, identifier);
    functions.set(kernel, identifier);
    const rendered = renderKernel(kernel, identifier, names.make);
    texts.push(rendered.text);
    for (const helper of rendered.helpers) helpers.add(helper);
    for (const dtype of rendered.views) usedViews.add(dtype);
  }
  return { functions, texts, helpers, views: usedViews };
}

interface GraphContext {
  kernel(kernel: Kernel): string;
  global(name: string): string;
  /** Of parameters, states, and what is made of them. */
  readonly types: ReadonlyMap<string, TensorType>;
  useView(dtype: DType): void;
}

function renderGraph(program: Program, identifier: string, context: GraphContext): string {
  const names = createNames([...kernelsIn(program.steps).map(context.kernel), "at", "u8"], javascript);
  for (const name of context.types.keys()) names.make(context.global(name));
  const sizes = new Map(program.sizes.map((size) => [size, names.make(size)]));
  const inputs = new Map(program.inputs.map((input) => [input.name, names.make(input.name)]));
  const size = (name: string): string => sizes.get(name) ?? name;
  const base = (place: Place): string => {
    switch (place.kind) {
      case "arena":
        return `at[${place.buffer}]`;
      case "input":
        return inputs.get(place.name)!;
      case "global":
        return context.global(place.name);
    }
  };
  /** Offset of a place, in elements of its view. */
  const elements = (place: Place, dtype: DType): string => {
    const shift = Math.log2(bytesOf[dtype]);
    const start = shift === 0 ? base(place) : `${base(place)} >> ${shift}`;
    if (place.offset === 0) return start;
    return `${shift === 0 ? start : `(${start})`} + ${renderDim(place.offset, size)}`;
  };
  const renderStep = (step: Step): string[] => {
    if (step.kind === "call") {
      const values = step.places.map((place, i) => elements(place, step.kernel.buffers[i]!.dtype));
      return [`  ${context.kernel(step.kernel)}(${[...step.kernel.sizes.map(size), ...values].join(", ")});`];
    }
    const extent = renderDim(step.extent, size);
    const outer = sizes.get(step.index);
    const index = names.make(step.index);
    sizes.set(step.index, index);
    const steps = step.steps.flatMap(renderStep).map((line) => `  ${line}`);
    if (outer === undefined) sizes.delete(step.index);
    else sizes.set(step.index, outer);
    const rounds = step.reversed
      ? `let ${index} = ${extent} - 1; ${index} >= 0; ${index}--`
      : `let ${index} = 0; ${index} < ${extent}; ${index}++`;
    return [`  for (${rounds}) {`, ...steps, "  }"];
  };
  const parameters = [...sizes.values(), ...inputs.values(), "at"].join(", ");
  const describe = (list: readonly { readonly name: string; readonly type: TensorType }[]): string =>
    list.map(({ name, type }) => `${name}: ${describeType(type)}`).join(", ");
  return [
    `// ${program.name}(${describe(program.inputs)}) -> (${describe(program.outputs)})`,
    "// Offsets are in bytes; `at` has those of the buffers of the arena.",
    `function ${identifier}(${parameters}) {`,
    ...program.steps.flatMap(renderStep),
    ...renderCopies(program, context, elements, size),
    "}",
  ].join("\n");
}

/** Sources that are globals are set aside first, for another copy may change them. */
function renderCopies(
  program: Program,
  context: GraphContext,
  elements: (place: Place, dtype: DType) => string,
  size: (name: string) => string,
): string[] {
  const before: string[] = [];
  const copies = program.copies.map(({ target, source, length }, i) => {
    const dtype = context.types.get(target)!.dtype;
    context.useView(dtype);
    const view = views[dtype].name;
    const from = elements(source, dtype);
    const count = renderDim(length, size);
    const to = elements({ kind: "global", name: target, offset: 0 }, dtype);
    if (source.kind !== "global") return `  ${view}.copyWithin(${to}, ${from}, (${from}) + ${count});`;
    before.push(`  const old${i} = ${view}.slice(${from}, (${from}) + ${count});`);
    return `  ${view}.set(old${i}, ${to});`;
  });
  return copies.length === 0 ? [] : ["  // Updates that were not made in place.", ...before, ...copies];
}
