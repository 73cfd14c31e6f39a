// The kernels of a module run by the interpreter of the kernel IR instead of generated code, behind the same interface: slow,
// every access checked. For tests, and for `--verify`, which asks where a value first differs.

import type { Sizes } from "../../ir/dim.ts";
import { bytesOf, type DType, type TypedArray } from "../../ir/dtype.ts";
import { type InterpretOptions, interpretKernel } from "../../ir/kernel/interpret.ts";
import type { ProgramModule, Step } from "../../ir/kernel/program.ts";
import type { Place } from "../../ir/memory-plan.ts";
import { evaluate, globalOffsets } from "../runtime/layout.ts";
import type { Create, GraphFunction } from "./runtime/compile.ts";

/** For `createExecutable(module, { create: createInterpreted })`; `options` say what registers hold. Access out of bounds throws a KernelRunError. */
export function createInterpreted(module: ProgramModule, graph: string, options: InterpretOptions = {}): Create {
  const program = module.programs.get(graph);
  if (!program) throw new RangeError(`${module.name} has no graph ${graph}`);
  const globals = globalOffsets(module).byName;
  return (memory) => {
    const views: Readonly<Record<DType, TypedArray>> = {
      f32: new Float32Array(memory),
      f16: new Uint16Array(memory),
      i32: new Int32Array(memory),
      u8: new Uint8Array(memory),
      i8: new Int8Array(memory),
      bool: new Uint8Array(memory),
    };
    const run: GraphFunction = (...parameters) => {
      const numbers = parameters.filter((parameter) => typeof parameter === "number");
      const [arena = []] = parameters.filter((parameter) => typeof parameter !== "number");
      const sizes = Object.fromEntries(program.sizes.map((size, i) => [size, numbers[i]!]));
      const inputs = numbers.slice(program.sizes.length);
      const base = (place: Place): number => {
        switch (place.kind) {
          case "arena":
            return arena[place.buffer]!;
          case "input":
            return inputs[program.inputs.findIndex((input) => input.name === place.name)]!;
          case "global":
            return globals.get(place.name)!;
        }
      };
      const elements = (place: Place, dtype: DType, at: Sizes): number =>
        base(place) / bytesOf[dtype] + evaluate(place.offset, at);
      const runSteps = (steps: readonly Step[], at: Sizes): void => {
        for (const step of steps) {
          if (step.kind === "loop") {
            const extent = evaluate(step.extent, at);
            for (let i = 0; i < extent; i++)
              runSteps(step.steps, { ...at, [step.index]: step.reversed ? extent - 1 - i : i });
            continue;
          }
          const buffers = step.kernel.buffers.map(
            ({ name, dtype }, i) => [name, views[dtype], elements(step.places[i]!, dtype, at)] as const,
          );
          interpretKernel(
            step.kernel,
            Object.fromEntries(buffers.map(([name, view]) => [name, view])),
            at,
            Object.fromEntries(buffers.map(([name, , offset]) => [name, offset])),
            options,
          );
        }
      };
      runSteps(program.steps, sizes);
      const copies = program.copies.map(({ target, source, length }) => {
        const { dtype } = module.globals.get(target)!.type;
        const from = elements(source, dtype, sizes);
        return {
          dtype,
          to: globals.get(target)! / bytesOf[dtype],
          data: views[dtype].slice(from, from + evaluate(length, sizes)),
        };
      });
      for (const { dtype, to, data } of copies) views[dtype].set(data, to);
    };
    return { [graph]: run };
  };
}
