// Runs a plan on a device: two memories, all pipelines ahead, and for each graph and each choice of its free sizes the bind groups, which
// are made once. A run writes its inputs, submits one command buffer with one compute pass, and reads back what is asked for.

import type { Tensor, TypedArray } from "../../../ir/dtype.ts";
import { evaluate } from "../../runtime/layout.ts";
import { fromDevice, toDevice } from "./data.ts";
import { watchFaults } from "./faults.ts";
import { countOf, globalOffsets, type Layout, type Location, layoutOf } from "./layout.ts";
import { createMemory, type GpuMemory, pageBytes } from "./memory.ts";
import { createPipelines } from "./pipelines.ts";
import { alignment, elementBytes, type GpuGraph, type GpuPlan, type GpuTensor } from "./plan.ts";
import { createStaging } from "./staging.ts";
import { dispatchesOf, type PlacedDispatch } from "./steps.ts";

type Sizes = Readonly<Record<string, number>>;

export interface RunOptions {
  /** The outputs to read back; default all. */
  readonly read?: readonly string[];
  /** Writes the dispatches down, each of which goes into a pass that is given to it; by default, all go into one. For measurements. */
  readonly encode?: (
    encoder: GPUCommandEncoder,
    dispatches: readonly ((pass: GPUComputePassEncoder) => void)[],
  ) => void;
}

export interface GpuRuntime {
  /**
   * Runs a graph on inputs by name, which must fit what it declares; one that is left out is what the last run had, if that was of the
   * same graph and sizes. What is not read back stays on the device; with nothing to read
   * the promise is kept as soon as the run is submitted. Runs take place in the order of the calls.
   */
  run(
    graph: string,
    inputs: Readonly<Record<string, TypedArray>>,
    sizes: Sizes,
    options?: RunOptions,
  ): Promise<Record<string, Tensor>>;
  /** Where the outputs of a graph lie that has run with these sizes; good until the next run. */
  places(graph: string, sizes: Sizes): Record<string, GpuPlace>;
  /** A copy of a parameter or state. */
  read(name: string): Promise<Tensor>;
  /** Sets a parameter or state, before any later run. */
  write(name: string, data: TypedArray): void;
  /** Kept once all that was submitted is done. */
  finished(): Promise<void>;
  /** Frees all memory of the device that it has. */
  dispose(): void;
}

/** A tensor on the device: elements of 4 bytes, as `GpuPlan` has them. */
export interface GpuPlace {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly buffer: GPUBuffer;
  /** In bytes. */
  readonly offset: number;
  readonly size: number;
}

// GPUBufferUsage by its numbers: not every host has it as a global.
const copyTarget = 8;
const uniformUsage = 0x40;

/** A graph laid out for one choice of its free sizes. */
interface Prepared {
  readonly graph: GpuGraph;
  readonly layout: Layout;
  readonly steps: readonly Step[];
  readonly uniforms: GPUBuffer | undefined;
}

interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly x: number;
  readonly y: number;
}

export interface RuntimeOptions {
  /** The largest buffer to make, in bytes: what needs more is split over several. Default what the device can have. */
  readonly largest?: number;
}

/** Creates all pipelines. All parameters and states are zero at first. Throws a GpuError. */
export async function createRuntime(
  device: GPUDevice,
  plan: GpuPlan,
  { largest }: RuntimeOptions = {},
): Promise<GpuRuntime> {
  const page = pageBytes(device, largest);
  const offsets = globalOffsets(plan, page);
  const staging = createStaging(device);
  const prepared = new Map<string, Prepared>();
  const faults = watchFaults(device, plan.name);
  const check = (): void => {
    const fault = faults.seen();
    if (fault) throw fault;
  };

  const purpose = (what: string): string => `${what} of ${plan.name}`;
  const [pipelines, globals] = await Promise.all([
    createPipelines(device, plan),
    createMemory(device, "globals", offsets.bytes, page, purpose("parameters and states")),
  ]);
  const createWork = (bytes: number): Promise<GpuMemory> =>
    createMemory(device, "work", bytes, page, purpose("inputs and results"));
  let work = await createWork(alignment);

  const graphOf = (name: string): GpuGraph => {
    const graph = plan.graphs.find((candidate) => candidate.name === name);
    if (!graph) throw new RangeError(`${plan.name} has no graph ${name}`);
    return graph;
  };
  const globalOf = (name: string): GpuTensor => {
    const tensor = plan.globals.find((candidate) => candidate.name === name);
    if (!tensor) throw new RangeError(`${plan.name} has no parameter or state ${name}`);
    return tensor;
  };
  const buffersAt = ({ memory, offset }: Location) => (memory === "globals" ? globals : work).at(offset);

  /** The values of all uniforms, each dispatch at an offset of its own. */
  const uniformsOf = (dispatches: readonly PlacedDispatch[], layout: Layout) => {
    const starts: (number | undefined)[] = [];
    const values: number[] = [];
    for (const { dispatch, sizes } of dispatches) {
      starts.push(dispatch.uniforms.length === 0 ? undefined : values.length * elementBytes);
      for (const number of dispatch.uniforms) {
        values.push(
          "dim" in number
            ? evaluate(number.dim, sizes)
            : buffersAt(layout.locate(number.start, sizes)).offset / elementBytes,
        );
      }
      while ((values.length * elementBytes) % alignment !== 0) values.push(0);
    }
    if (values.length === 0) return { starts, buffer: undefined };
    const size = values.length * elementBytes;
    const buffer = device.createBuffer({ label: "sizes", size, usage: uniformUsage | copyTarget });
    device.queue.writeBuffer(buffer, 0, Int32Array.from(values));
    return { starts, buffer };
  };

  const keyOf = (graph: GpuGraph, sizes: Sizes): string =>
    [graph.name, ...graph.sizes.map((size) => sizes[size])].join();
  const prepare = async (graph: GpuGraph, sizes: Sizes): Promise<Prepared> => {
    const key = keyOf(graph, sizes);
    const known = prepared.get(key);
    if (known) return known;
    const layout = layoutOf(graph, offsets, sizes, page);
    if (layout.bytes > work.bytes) {
      forget();
      work.destroy();
      work = await createWork(layout.bytes);
    }
    const memories = { globals: globals.bytes, work: work.bytes };
    const dispatches = dispatchesOf(graph.steps, sizes);
    const { starts, buffer: uniforms } = uniformsOf(dispatches, layout);
    const steps = dispatches.map(({ dispatch, sizes: within, groups }, i): Step => {
      const { shader, slices, uniforms: numbers } = dispatch;
      const { pipeline, layout: bindings } = pipelines[shader]!;
      const resources = slices.map((slice): GPUBufferBinding => {
        const stretch = layout.stretch(slice, dispatch, memories, within);
        return { ...buffersAt(stretch), size: stretch.size };
      });
      if (uniforms && starts[i] !== undefined) {
        const size = Math.ceil((numbers.length * elementBytes) / 16) * 16;
        resources.unshift({ buffer: uniforms, offset: starts[i], size });
      }
      const entries = resources.map((resource, binding) => ({ binding, resource }));
      const y = Math.ceil(groups / device.limits.maxComputeWorkgroupsPerDimension);
      return { pipeline, group: device.createBindGroup({ layout: bindings, entries }), x: Math.ceil(groups / y), y };
    });
    const made: Prepared = { graph, layout, steps, uniforms };
    prepared.set(key, made);
    return made;
  };
  const forget = (): void => {
    for (const { uniforms } of prepared.values()) uniforms?.destroy();
    prepared.clear();
  };

  const copy = (encoder: GPUCommandEncoder, from: Location, to: Location, bytes: number): void => {
    const [source, target] = [buffersAt(from), buffersAt(to)];
    if (bytes > 0) encoder.copyBufferToBuffer(source.buffer, source.offset, target.buffer, target.offset, bytes);
  };
  const encode = ({ graph, layout, steps }: Prepared, split: RunOptions["encode"]): GPUCommandEncoder => {
    const encoder = device.createCommandEncoder();
    const dispatch = (pass: GPUComputePassEncoder, { pipeline, group, x, y }: Step): void => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x, y);
    };
    if (split)
      split(
        encoder,
        steps.map((step) => (pass) => dispatch(pass, step)),
      );
    else if (steps.length > 0) {
      const pass = encoder.beginComputePass();
      for (const step of steps) dispatch(pass, step);
      pass.end();
    }
    const copies = graph.copies.map(({ target, source, length }, i) => {
      const bytes = evaluate(length, layout.sizes) * elementBytes;
      const from = layout.locate(source);
      const aside = layout.aside[i];
      if (aside === undefined) return { target, bytes, from };
      // A buffer is not copied to itself, and another copy may change what this one reads.
      copy(encoder, from, { memory: "work", offset: aside }, bytes);
      return { target, bytes, from: { memory: "work", offset: aside } as const };
    });
    for (const { target, bytes, from } of copies) {
      copy(encoder, from, { memory: "globals", offset: offsets.byName.get(target)! }, bytes);
    }
    return encoder;
  };

  let turn: Promise<unknown> = Promise.resolve();
  /** Preparing may wait for memory: runs that were asked for later wait, too. */
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const result = turn.then(task);
    turn = result.catch(() => undefined);
    return result;
  };

  /** What lies at the places, in the order of the list, once the commands before have run. */
  const readBack = async (
    encoder: GPUCommandEncoder,
    wanted: readonly {
      readonly tensor: GpuTensor;
      readonly buffer: GPUBuffer;
      readonly offset: number;
      readonly sizes: Sizes;
    }[],
  ): Promise<() => Promise<Tensor[]>> => {
    const counts = wanted.map(({ tensor, sizes }) => countOf(tensor, sizes));
    const bytes = counts.reduce((sum, count) => sum + count, 0) * elementBytes;
    const buffer = bytes > 0 ? staging.take(bytes) : undefined;
    let end = 0;
    const places = wanted.map(({ buffer: from, offset }, i) => {
      const at = end;
      const size = counts[i]! * elementBytes;
      if (buffer && size > 0) encoder.copyBufferToBuffer(from, offset, buffer, at, size);
      end += size;
      return at;
    });
    device.queue.submit([encoder.finish()]);
    return async () => {
      const data = buffer ? await staging.read(buffer, bytes) : new ArrayBuffer(0);
      check();
      return wanted.map(({ tensor: { dtype, shape }, sizes }, i) => ({
        dtype,
        shape: shape.map((dim) => evaluate(dim, sizes)),
        data: fromDevice(dtype, data, places[i]!, counts[i]!),
      }));
    };
  };
  const settled = async <T>(reading: Promise<() => Promise<T>>): Promise<T> => {
    try {
      return await (await reading)();
    } catch (error) {
      // Whoever waits for a device that is gone hears why.
      throw faults.seen() ?? error;
    }
  };

  return {
    run: (name, inputs, sizes, { read, encode: split } = {}) =>
      settled(
        inTurn(async () => {
          check();
          const graph = graphOf(name);
          const ready = await prepare(graph, sizes);
          for (const { name: input, dtype } of graph.inputs) {
            const given = inputs[input];
            if (!given) continue;
            const data = toDevice(dtype, given);
            const { buffer, offset } = buffersAt(ready.layout.locate({ kind: "input", name: input, offset: 0 }));
            if (data.length > 0) device.queue.writeBuffer(buffer, offset, data);
          }
          const outputs = graph.outputs.filter((output) => read?.includes(output.name) ?? true);
          const wanted = outputs.map((tensor) => ({ tensor, ...buffersAt(ready.layout.locate(tensor.place)), sizes }));
          const finish = await readBack(encode(ready, split), wanted);
          return async () => {
            const tensors = await finish();
            return Object.fromEntries(outputs.map((output, i) => [output.name, tensors[i]!]));
          };
        }),
      ),
    places(name, sizes) {
      const ready = prepared.get(keyOf(graphOf(name), sizes));
      if (!ready) throw new RangeError(`${name} has not run with these sizes`);
      return Object.fromEntries(
        ready.graph.outputs.map((tensor) => {
          const { buffer, offset } = buffersAt(ready.layout.locate(tensor.place));
          const shape = tensor.shape.map((dim) => evaluate(dim, sizes));
          const size = countOf(tensor, sizes) * elementBytes;
          return [tensor.name, { dtype: tensor.dtype, shape, buffer, offset, size }];
        }),
      );
    },
    read: (name) =>
      settled(
        inTurn(async () => {
          check();
          const wanted = [{ tensor: globalOf(name), ...globals.at(offsets.byName.get(name)!), sizes: {} }];
          const finish = await readBack(device.createCommandEncoder(), wanted);
          return async () => (await finish())[0]!;
        }),
      ),
    write(name, data) {
      const { dtype } = globalOf(name);
      void inTurn(async () => {
        const { buffer, offset } = globals.at(offsets.byName.get(name)!);
        if (data.length > 0) device.queue.writeBuffer(buffer, offset, toDevice(dtype, data));
      });
    },
    async finished() {
      await turn;
      await device.queue.onSubmittedWorkDone();
      check();
    },
    dispose() {
      faults.dispose();
      forget();
      staging.dispose();
      globals.destroy();
      work.destroy();
    },
  };
}
