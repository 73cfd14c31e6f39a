// Times a graph on a device: whole runs by the clock of the host, each dispatch by the clock of the device.

import { renderPlan } from "../backends/wgsl/render.ts";
import type { GpuDispatch, GpuStep } from "../backends/wgsl/runtime/plan.ts";
import { createRuntime } from "../backends/wgsl/runtime/runtime.ts";
import { dispatchesOf } from "../backends/wgsl/runtime/steps.ts";
import type { Sizes } from "../ir/dim.ts";
import type { Tensor } from "../ir/dtype.ts";
import { callsIn, type ProgramModule } from "../ir/kernel/program.ts";
import type { GroupLimits } from "../ir/target.ts";
import { createClock } from "./gpu-clock.ts";
import { median, type Timing } from "./measure.ts";

export interface GpuMeasureOptions {
  /** With the feature timestamp-query. */
  readonly device: GPUDevice;
  readonly programs: ProgramModule;
  readonly limits: GroupLimits;
  readonly graph: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly sizes: Sizes;
  readonly weights: Readonly<Record<string, Tensor>>;
  /** How long to measure; default 2. */
  readonly seconds?: number;
}

const leastRounds = 3;

export async function measureOnGpu(options: GpuMeasureOptions): Promise<Timing> {
  const { device, programs, limits, graph, sizes, weights, seconds = 2 } = options;
  const plan = renderPlan(programs, limits, [graph]);
  const begin = performance.now();
  const runtime = await createRuntime(device, plan);
  const generation = (performance.now() - begin) / 1000;
  for (const [name, { data }] of Object.entries(weights)) runtime.write(name, data);
  const inputs = Object.fromEntries(Object.entries(options.inputs).map(([name, { data }]) => [name, data]));
  const timedRun = async (given: typeof inputs): Promise<number> => {
    const before = performance.now();
    await runtime.run(graph, given, sizes, { read: [] });
    await runtime.finished();
    return (performance.now() - before) / 1000;
  };
  const firstRun = await timedRun(inputs);

  const { steps } = plan.graphs[0]!;
  const placed = dispatchesOf(steps, sizes);
  const runs: number[] = [];
  const samples = new Map<GpuDispatch, number[]>();
  const clock = createClock(device, Math.max(1, placed.length));
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < leastRounds || performance.now() < end; round++) {
    runs.push(await timedRun({}));
    await runtime.run(graph, {}, sizes, {
      read: [],
      encode(encoder, parts) {
        parts.forEach((part, i) => {
          const pass = encoder.beginComputePass({ timestampWrites: clock.writes(i) });
          part(pass);
          pass.end();
        });
        clock.stop(encoder);
      },
    });
    const sums = new Map<GpuDispatch, number>();
    const times = await clock.read();
    placed.forEach(({ dispatch }, i) => {
      sums.set(dispatch, (sums.get(dispatch) ?? 0) + times[i]!);
    });
    for (const [dispatch, sum] of sums) samples.set(dispatch, [...(samples.get(dispatch) ?? []), sum]);
  }
  clock.dispose();
  runtime.dispose();
  const dispatches = flat(steps);
  return {
    generation,
    firstRun,
    run: median(runs),
    // A kernel without points, as for what tiles leave of a batch, is not run.
    calls: callsIn(programs.programs.get(graph)!.steps).flatMap(({ call, rounds }, i) => {
      const seconds = samples.get(dispatches[i]!);
      return seconds ? [{ call, rounds, seconds: median(seconds) }] : [];
    }),
    copies: undefined,
  };
}

/** In the order of the calls that they were rendered from. */
const flat = (steps: readonly GpuStep[]): readonly GpuDispatch[] =>
  steps.flatMap((step) => (step.kind === "dispatch" ? [step] : flat(step.steps)));
