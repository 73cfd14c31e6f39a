// What JavaScript takes for an identifier in generated code.

import type { NamingRules } from "../names.ts";

/** Words that JavaScript keeps, and the names that generated modules use themselves. */
const reserved = new Set(
  (
    "await break case catch class const continue debugger default delete do else enum export extends false finally for " +
    "function if implements import in instanceof interface let new null package private protected public return static " +
    "super switch this throw true try typeof var void while with yield arguments eval undefined NaN Infinity Math Number " +
    "Float32Array Float64Array Int32Array Uint8Array Int8Array Uint16Array memory create at"
  ).split(" "),
);

export const javascript: NamingRules = {
  reserved,
  legal(wanted) {
    const stem = wanted.replace(/[^\p{L}\p{N}_$]/gu, "_");
    return /^[\p{L}_$]/u.test(stem) ? stem : `_${stem}`;
  },
};
