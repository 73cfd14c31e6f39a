// What goes wrong on a device without being asked for: an error that no scope caught, or the loss of the device.

import { GpuError } from "./errors.ts";

export interface Faults {
  /** The loss, or else the first error. */
  seen(): GpuError | undefined;
  dispose(): void;
}

interface Loss {
  error?: GpuError;
}

/**
 * One handler for each device: a promise keeps its handlers, and all that they hold, until it settles, and a device may outlive many
 * models.
 */
const losses = new WeakMap<GPUDevice, Loss>();

function lossOf(device: GPUDevice): Loss {
  const known = losses.get(device);
  if (known) return known;
  const loss: Loss = {};
  losses.set(device, loss);
  void device.lost.then(({ reason, message }) => {
    if (reason !== "destroyed")
      loss.error = new GpuError("lost", `the GPU device was lost: ${message || "no reason given"}`);
  });
  return loss;
}

/** Watches a device for the model `name`. */
export function watchFaults(device: GPUDevice, name: string): Faults {
  const loss = lossOf(device);
  let first: GpuError | undefined;
  const onError = (event: GPUUncapturedErrorEvent): void => {
    first ??= new GpuError("invalid", `${name}: ${event.error.message}`);
  };
  device.addEventListener("uncapturederror", onError);
  return {
    seen: () => loss.error ?? first,
    dispose: () => device.removeEventListener("uncapturederror", onError),
  };
}
