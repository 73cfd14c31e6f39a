// Mixup (Zhang and others, 2018): each row of a batch becomes λ · itself + (1 - λ) · another row of the batch, in all columns alike,
// λ from Beta(α, α).

import { permutation, type Random, randomFor } from "../random.ts";
import { type Column, type ComputedColumn, gatherColumn, rowLength } from "./dataset.ts";

/** A column of floats, mixed where a draw is given. Columns with equal settings are mixed alike. */
export function mixed(column: Column, alpha: number, seed: number | undefined): ComputedColumn {
  const width = rowLength(column);
  const fill: ComputedColumn["fill"] = (rows, into, draw) => {
    gatherColumn(column, rows, into, draw);
    if (!draw) return;
    const random = randomFor("mixup", alpha, seed ?? draw.seed, draw.epoch, draw.first);
    const partners = permutation(rows.length, random);
    const batch = into.slice(0, rows.length * width);
    for (let i = 0; i < rows.length; i++) {
      const share = beta(alpha, random);
      for (let k = 0; k < width; k++) {
        into[i * width + k] = share * batch[i * width + k]! + (1 - share) * batch[partners[i]! * width + k]!;
      }
    }
  };
  return { dtype: "f32", shape: column.shape, varied: true, fill };
}

/** A number of the distribution Beta(α, α). */
function beta(alpha: number, random: Random): number {
  const [a, b] = [logGamma(alpha, random), logGamma(alpha, random)];
  return 1 / (1 + Math.exp(b - a));
}

/**
 * The logarithm of a number of the distribution Gamma(α, 1), because for small α the number itself is nearly always 0
 * (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000; below 1 from α + 1).
 */
function logGamma(alpha: number, random: Random): number {
  if (alpha < 1) return logGamma(alpha + 1, random) + Math.log(1 - random.uniform()) / alpha;
  const d = alpha - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    const u = 1 - random.uniform();
    if (v > 0 && Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}
