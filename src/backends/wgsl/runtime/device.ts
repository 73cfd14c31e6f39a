// Asks for a device: the largest buffers and the most of them for a kernel that the adapter has, and a clock where it has one.

import { GpuError } from "./errors.ts";

/** Throws a GpuError where there is no WebGPU, or no adapter. */
export async function requestDevice(gpu: GPU | undefined = hostGpu()): Promise<GPUDevice> {
  if (!gpu) throw new GpuError("unavailable", "this engine has no WebGPU");
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new GpuError("unavailable", "WebGPU finds no adapter: no graphics driver that it can use");
  const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = adapter.limits;
  try {
    return await adapter.requestDevice({
      requiredLimits: { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage },
      requiredFeatures: adapter.features.has("timestamp-query") ? ["timestamp-query"] : [],
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new GpuError("unavailable", `the WebGPU adapter gives no device: ${why}`);
  }
}

/** `navigator.gpu`, where there is one. */
function hostGpu(): GPU | undefined {
  return typeof navigator === "undefined" ? undefined : navigator.gpu;
}
