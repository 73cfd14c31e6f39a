// Colours where a person reads: on a terminal. Pipes, files and the logs of servers stay plain.

import pc from "picocolors";

export type Colors = ReturnType<typeof pc.createColors>;

export const colorsFor = (stream: { readonly isTTY?: boolean }): Colors =>
  pc.createColors(Boolean(stream.isTTY) && !process.env.NO_COLOR && process.env.TERM !== "dumb");
