// Runs a lowered module on WebGPU. Parameters and states lie on the device; the host keeps what was last written or read of them, from
// which it goes on where a device is lost.

import type { Tensor } from "../../ir/dtype.ts";
import type { ProgramModule } from "../../ir/kernel/program.ts";
import type { GroupLimits } from "../../ir/target.ts";
import { type AsyncExecutable, InputError } from "../backend.ts";
import { checkGlobal, checkInputs, globalOf, programOf } from "../executable.ts";
import { renderPlan } from "./render.ts";
import { requestDevice } from "./runtime/device.ts";
import { GpuError } from "./runtime/errors.ts";
import { createRuntime, type GpuRuntime } from "./runtime/runtime.ts";

export interface ExecutableOptions {
  /** Where devices come from; default `navigator.gpu`. */
  readonly gpu?: GPU;
  /** Names of the graphs to make pipelines for; default all. */
  readonly graphs?: readonly string[];
  /** Told when a lost device was replaced; by default, the console is. */
  readonly notice?: (text: string) => void;
}

/** Asks for a device and makes all pipelines. All parameters and states are zero at first. Throws a GpuError. */
export async function createExecutable(
  module: ProgramModule,
  limits: GroupLimits,
  options: ExecutableOptions = {},
): Promise<AsyncExecutable> {
  const { gpu, graphs, notice = (text) => console.warn(text) } = options;
  const kept = new Map<string, Tensor>();
  const start = async (): Promise<Running> => {
    const device = await requestDevice(gpu);
    // What the kernels were bound to holds on any device; how many tensors they are given one by one, this one says.
    const buffers = Math.max(limits.buffers, device.limits.maxStorageBuffersPerShaderStage);
    const runtime = await createRuntime(device, renderPlan(module, { ...limits, buffers }, graphs));
    for (const [name, { data }] of kept) runtime.write(name, data);
    return { device, runtime };
  };
  let running = await start();

  /** Once more on a new device where this one is lost; a second loss in one run is for the caller. */
  const again = async <T>(task: (runtime: GpuRuntime) => Promise<T>): Promise<T> => {
    const before = running;
    try {
      return await task(before.runtime);
    } catch (error) {
      if (!(error instanceof GpuError) || error.reason !== "lost") throw error;
      if (running === before) {
        running = await start();
        notice(`${module.name}: ${error.message}; it goes on on a new one, from what was last read or written`);
      }
      return await task(running.runtime);
    }
  };

  return {
    async run(graph, inputs, given = {}, { read } = {}) {
      const program = programOf(module, graph);
      const sizes = checkInputs(program, inputs, given);
      const data = Object.fromEntries(program.inputs.map(({ name }) => [name, inputs[name]!.data]));
      return again((runtime) => runtime.run(graph, data, sizes, read ? { read } : {}));
    },
    async prepare(graph, inputs, given = {}) {
      const program = programOf(module, graph);
      const sizes = checkInputs(program, inputs, given);
      const all = { ...inputs };
      let before: GpuRuntime | undefined;
      return async (changed = {}, { read } = {}) => {
        for (const [name, tensor] of Object.entries(changed)) checkSame(name, tensor, all[name]);
        Object.assign(all, changed);
        return again((runtime) => {
          // Another device has none of them yet.
          const sent = Object.entries(runtime === before ? changed : all);
          before = runtime;
          const data = Object.fromEntries(sent.map(([name, tensor]) => [name, tensor.data]));
          return runtime.run(graph, data, sizes, read ? { read } : {});
        });
      };
    },
    async read(name) {
      globalOf(module, name);
      const tensor = await again((runtime) => runtime.read(name));
      kept.set(name, tensor);
      return tensor;
    },
    write(name, tensor) {
      checkGlobal(name, globalOf(module, name).type, tensor);
      const own = { ...tensor, data: tensor.data.slice() };
      kept.set(name, own);
      running.runtime.write(name, own.data);
    },
    dispose() {
      running.runtime.dispose();
      running.device.destroy();
    },
  };
}

function checkSame(name: string, tensor: Tensor, before: Tensor | undefined): void {
  if (!before) throw new InputError(`there is no input ${name}`);
  const describe = ({ dtype, shape, data }: Tensor): string =>
    `${dtype}[${shape.join(", ")}] of ${data.length} elements`;
  if (describe(tensor) === describe(before)) return;
  throw new InputError(`${name} was prepared as ${describe(before)}, and is ${describe(tensor)}`);
}

interface Running {
  readonly device: GPUDevice;
  readonly runtime: GpuRuntime;
}
