// What a bundle for WebGPU contains besides its plan: takes inputs as the other bundles do, and runs the one graph on a device.

import type { TypedArray } from "../../../ir/dtype.ts";
import { arrays, type Data, type Description, type Given, readInputs } from "../../js/runtime/inputs.ts";
import { align } from "../../runtime/layout.ts";
import { requestDevice } from "./device.ts";
import type { GpuPlan } from "./plan.ts";
import { createRuntime, type GpuPlace } from "./runtime.ts";

export interface ModelOptions {
  /** The device to run on, which stays the caller's; by default one is asked for, and ends with the model. */
  readonly device?: GPUDevice;
}

export interface GpuTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
}

export interface GpuModel {
  /**
   * Answers with typed arrays, or without `readback` with the stretches of buffers on the device where the outputs lie, good until the
   * next run. Runs take place in the order of the calls.
   */
  run(
    inputs: Record<string, Given>,
    options?: { readonly readback?: boolean },
  ): Promise<Record<string, (GpuTensor & { readonly data: ArrayLike<number> }) | (GpuTensor & GpuPlace)>>;
  /** Frees all memory of the device that the model has. */
  free(): void;
}

/** Creates all pipelines, and puts the weights on the device. They are as a bundle has them: one after the other at multiples of 16. */
export async function createGpuModel(
  model: Description,
  plan: GpuPlan,
  weights: Uint8Array<ArrayBuffer>,
  { device: given }: ModelOptions = {},
): Promise<GpuModel> {
  const device = given ?? (await requestDevice());
  const graph = plan.graphs[0]!.name;
  const end = (): void => {
    if (!given) device.destroy();
  };
  const runtime = await createRuntime(device, plan).catch((error: unknown) => {
    end();
    throw error;
  });
  let offset = 0;
  for (const { name, dtype, shape } of plan.globals) {
    const count = shape.reduce<number>((product, size) => product * Number(size), 1);
    const values = new arrays[dtype](weights.buffer, offset, count);
    runtime.write(name, values);
    offset += align(values.byteLength);
  }
  return {
    async run(inputs, { readback = true } = {}) {
      const { sizes, data } = readInputs(model, inputs);
      const typed = Object.fromEntries(
        model.inputs.map(({ name, dtype }, i) => [name, toTyped(data[i]!, dtype)] as const),
      );
      if (readback) return runtime.run(graph, typed, sizes);
      await runtime.run(graph, typed, sizes, { read: [] });
      return runtime.places(graph, sizes);
    },
    free() {
      runtime.dispose();
      end();
    },
  };
}

/** The elements as numbers of the type, copied only where they are of another. */
function toTyped(data: Data, dtype: keyof typeof arrays): TypedArray {
  if (data instanceof arrays[dtype]) return data;
  const typed = new arrays[dtype](data.length);
  typed.set(data);
  return typed;
}
