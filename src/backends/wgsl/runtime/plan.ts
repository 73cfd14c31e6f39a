// A lowered module as WebGPU runs it, as plain data: shaders, and for each graph the dispatches with the stretches of memory that they
// are given. The runtime takes nothing else of the compiler, so that a bundle is this data and the runtime.

import type { Dim } from "../../../ir/dim.ts";
import type { DType } from "../../../ir/dtype.ts";
import type { Place } from "../../../ir/memory-plan.ts";

/** Every element takes 4 bytes: f32 and i32 as they are, f16 as its bits in a u32, small integers and truth as i32. */
export const elementBytes = 4;

/** Where a stretch of memory may begin: the largest alignment that WebGPU lets an adapter ask for. */
export const alignment = 256;

export interface GpuPlan {
  readonly name: string;
  readonly globals: readonly GpuTensor[];
  readonly shaders: readonly GpuShader[];
  readonly graphs: readonly GpuGraph[];
}

export interface GpuTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

export interface GpuShader {
  /** The entry point. */
  readonly name: string;
  readonly code: string;
  /** The bindings of group 0, in order. */
  readonly bindings: readonly ("uniform" | "read" | "write")[];
  readonly barriers: number;
}

export interface GpuGraph {
  readonly name: string;
  /** The free sizes. */
  readonly sizes: readonly string[];
  readonly inputs: readonly GpuTensor[];
  readonly outputs: readonly (GpuTensor & { readonly place: Place })[];
  /** Buffers of the arena, in order of placement. */
  readonly buffers: readonly GpuBuffer[];
  readonly steps: readonly GpuStep[];
  /** Copies behind the last step, all sources read before any target is written. */
  readonly copies: readonly { readonly target: string; readonly source: Place; readonly length: Dim }[];
}

export interface GpuBuffer {
  /** Of 4 bytes each. */
  readonly elements: Dim;
  /** Alive from node `first` to node `last`, both included. */
  readonly first: number;
  readonly last: number;
}

export type GpuStep = GpuDispatch | GpuLoop;

/** Steps that run `extent` times; within them `index` is one more size, which counts up from 0, or down to it where `reversed`. */
export interface GpuLoop {
  readonly kind: "loop";
  readonly index: string;
  readonly extent: Dim;
  readonly reversed: boolean;
  readonly steps: readonly GpuStep[];
}

export interface GpuDispatch {
  readonly kind: "dispatch";
  /** Index of the shader. */
  readonly shader: number;
  /** How many groups of threads run. */
  readonly groups: Dim;
  /** The numbers in the uniform binding, where the shader has one. */
  readonly uniforms: readonly GpuNumber[];
  /** One for each storage binding. */
  readonly slices: readonly GpuSlice[];
}

/** A dimension, or where a tensor begins in the memory that holds it, in elements. */
export type GpuNumber = { readonly dim: Dim } | { readonly start: Place };

/**
 * A stretch of memory: `length` elements from the place on, or, where the binding serves several tensors, all that the memory holds of
 * the graph.
 */
export type GpuSlice = { readonly place: Place; readonly length: Dim } | { readonly whole: "globals" | "work" };
