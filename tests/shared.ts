// Where the data and reference files lie that are too large for this repository: $DLM_SHARED, or beside it.

import { join } from "node:path";

/** The path of a shared file. Tests on it are skipped where it does not exist. */
export const shared = (path: string): string =>
  join(process.env.DLM_SHARED ?? join(import.meta.dirname, "../../shared"), path);
