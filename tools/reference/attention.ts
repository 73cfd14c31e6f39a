// Attention and the layers of transformers: the library's blocks where they fit; by primitives where PyTorch keeps several projections
// in one matrix, or gives the weights as well.

import { numberOf, type ReferenceCase, shapeOf, textOf } from "./case.ts";
import { float, formula, missing, type Program, type Recipe } from "./program.ts";

/** PyTorch keeps the three projections of attention in one matrix [3·D, D], and all matrices as [out, in]. */
export const attention = `
block attend(q: f32[N, H, T, E], k: f32[N, H, S, E], v: f32[N, H, S, E], causal: bool = false) {
  scores = q @ swapaxes(k, -1, -2) / sqrt(E)
  if causal {
    scores = where(lower_triangle(T), scores, -1e9)
  }
  weights = softmax(scores)
  (weights @ v, weights)
}

block multi_head(x: f32[N, T, D], memory: f32[N, S, D], w: f32[3 * D, D], b: f32[3 * D], out_w: f32[D, D],
                 out_b: f32[D], heads: int, causal: bool = false) {
  wq, wk, wv = split(w, 3, axis: 0)
  bq, bk, bv = split(b, 3, axis: 0)
  q = rearrange(x @ transpose(wq) + bq, "n t (h e) -> n h t e", h: heads)
  k = rearrange(memory @ transpose(wk) + bk, "n s (h e) -> n h s e", h: heads)
  v = rearrange(memory @ transpose(wv) + bv, "n s (h e) -> n h s e", h: heads)
  mixed, weights = attend(q, k, v, causal: causal)
  (rearrange(mixed, "n h t e -> n t (h e)") @ transpose(out_w) + out_b, weights)
}

block normed(x: f32[...B, D], w: f32[D], b: f32[D]) {
  away = x - mean(x, axis: -1, keepdims: true)
  away / sqrt(mean(away * away, axis: -1, keepdims: true) + 1e-5) * w + b
}
`;

/** Arguments of multi_head from parameters called `prefix_in_proj_weight` and so on. */
export const projections = (prefix: string): string =>
  ["in_proj_weight", "in_proj_bias", "out_proj_weight", "out_proj_bias"].map((name) => `${prefix}_${name}`).join(", ");

export const feedForward = (x: string, p: string, act: string): string =>
  `${act}(${x} @ transpose(${p}linear1_weight) + ${p}linear1_bias) @ transpose(${p}linear2_weight) + ${p}linear2_bias`;

export const norm = (x: string, p: string): string => `normed(${x}, ${p}_weight, ${p}_bias)`;

function selfAttention(c: ReferenceCase): Program {
  const heads = numberOf(c, "heads", 1);
  return formula(
    [
      "sequence = swapaxes(x, 0, 1)",
      `mixed, weights = multi_head(sequence, sequence, ${projections("param")}, heads: ${heads})`,
      "y = swapaxes(mixed, 0, 1)",
      "w = mean(weights, axis: 1)",
    ].join("\n"),
    attention,
  );
}

function encoderLayer(c: ReferenceCase): Program {
  if (c.attributes.norm_first === true) return missing("only the layer that normalises afterwards is in the table");
  const attended = `multi_head(x, x, ${projections("param_self_attn")}, heads: ${numberOf(c, "heads", 1)})`;
  return formula(
    [
      `mixed, weights = ${attended}`,
      `first = ${norm("x + mixed", "param_norm1")}`,
      `y = ${norm(`first + ${feedForward("first", "param_", textOf(c, "act", "relu"))}`, "param_norm2")}`,
    ].join("\n"),
    attention,
  );
}

function decoderLayer(c: ReferenceCase): Program {
  const heads = numberOf(c, "heads", 1);
  return formula(
    [
      `mixed, weights = multi_head(x, x, ${projections("param_self_attn")}, heads: ${heads})`,
      `first = ${norm("x + mixed", "param_norm1")}`,
      `crossed, cross_weights = multi_head(first, mem, ${projections("param_multihead_attn")}, heads: ${heads})`,
      `second = ${norm("first + crossed", "param_norm2")}`,
      `y = ${norm(`second + ${feedForward("second", "param_", textOf(c, "act", "relu"))}`, "param_norm3")}`,
    ].join("\n"),
    attention,
  );
}

function scaledDotProduct(c: ReferenceCase): Program {
  // The library has time before heads, and masks of keys alone.
  const turned = ["q", "k", "v"].map((name) => `swapaxes(${name}, 1, 2)`).join(", ");
  if (!("mask" in c.inputs)) return formula(`y = swapaxes(attend(${turned}), 1, 2)`);
  return formula(
    [
      `scores = q @ swapaxes(k, -1, -2) / ${float(Math.sqrt(shapeOf(c, "q").at(-1)!))}`,
      "y = softmax(where(mask > 0, scores, -1e9)) @ v",
    ].join("\n"),
  );
}

const rotaryEmbedding = (c: ReferenceCase): Program =>
  formula(`y = swapaxes(rotary_positions(swapaxes(x, 1, 2), base: ${float(numberOf(c, "base", 10000))}), 1, 2)`);

export const attentions: Readonly<Record<string, Recipe>> = {
  attention: scaledDotProduct,
  MultiheadAttention: selfAttention,
  TransformerEncoderLayer: encoderLayer,
  TransformerDecoderLayer: decoderLayer,
  rotary_embedding: rotaryEmbedding,
};
