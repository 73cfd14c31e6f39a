// Passes over kernels, after lowering and before rendering: the same results with less work in inner loops.

import type { Kernel } from "../../ir/kernel/types.ts";
import { hoist } from "./hoist.ts";

/** All kernel passes, in order. */
export const optimizeKernel = (kernel: Kernel): Kernel => hoist(kernel);
