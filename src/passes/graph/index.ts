// The graph passes, by name, for pipelines.

import type { Pass } from "../pass.ts";
import { canonicalize } from "./canonicalize.ts";
import { decompose } from "./decompose.ts";
import { differentiate } from "./differentiate.ts";
import { eliminateCommon } from "./eliminate-common.ts";
import { eliminateDead } from "./eliminate-dead.ts";
import { foldConstants } from "./fold-constants.ts";
import { fuse } from "./fuse.ts";
import { fuseAttention } from "./fuse-attention.ts";
import { hoistScans } from "./hoist-scans.ts";
import { openScans } from "./open-scans.ts";
import { splitPhases } from "./phases.ts";
import { planMemory } from "./plan-memory.ts";
import { layOutPlanes } from "./planes.ts";

export const graphPasses: readonly Pass[] = [
  differentiate,
  canonicalize,
  foldConstants,
  eliminateCommon,
  decompose,
  splitPhases,
  layOutPlanes,
  eliminateDead,
  hoistScans,
  openScans,
  fuseAttention,
  fuse,
  planMemory,
];
