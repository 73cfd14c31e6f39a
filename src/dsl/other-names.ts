// What other frameworks call the things of the library: a reader who comes from them gets our word for his. Letter case and
// underscores do not count, so that BatchNorm2d is found as batch_norm2d.

import { closest } from "./diagnostics.ts";

/** Our names, and what Keras, PyTorch and NumPy call the same. */
export const otherNames: Readonly<Record<string, readonly string[]>> = {
  adaptive_average_pool2d: ["adaptive_avg_pool2d"],
  alpha: ["negative_slope"],
  argsort: ["arg_sort"],
  attend: ["attention", "sdpa", "scaled_dot_product_attention"],
  average_pool1d: ["avg_pool1d", "average_pooling1d"],
  average_pool2d: ["avg_pool2d", "average_pooling2d"],
  axis: ["dim", "dims", "axes"],
  batch: ["batch_size"],
  batch_norm: ["batch_norm1d", "batch_norm2d", "batch_norm3d", "batch_normalization"],
  binary_cross_entropy: [
    "bce",
    "bce_loss",
    "bce_with_logits",
    "bce_with_logits_loss",
    "binary_crossentropy",
    "log_loss",
  ],
  broadcast_to: ["expand", "expand_as", "broadcast"],
  cast: ["astype", "to"],
  clip: ["clamp", "clip_by_value"],
  concatenate: ["concat", "cat", "hstack", "vstack"],
  conv1d: ["convolution1d"],
  conv2d: ["conv", "convolution2d"],
  conv2d_transpose: ["conv_transpose2d", "deconv", "deconv2d"],
  count: ["num_embeddings", "input_dim"],
  cross_entropy: [
    "cross_entropy_loss",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "categorical_cross_entropy",
    "nll_loss",
    "softmax_cross_entropy",
  ],
  dense: ["linear", "fc", "fully_connected", "affine"],
  deviation: ["stddev", "sigma"],
  dilation: ["dilation_rate"],
  divide: ["div", "true_divide"],
  early_stop: ["early_stopping"],
  epochs: ["num_epochs", "n_epochs"],
  epsilon: ["eps"],
  expand_dims: ["unsqueeze", "newaxis"],
  filters: ["out_channels", "channels_out"],
  flatten: ["ravel"],
  flip: ["reverse"],
  floor_divide: ["floordiv"],
  global_average_pool1d: ["global_avg_pool1d", "global_average_pooling1d"],
  global_average_pool2d: ["gap", "global_avg_pool2d", "global_average_pooling2d"],
  global_max_pool2d: ["global_max_pooling2d"],
  glorot_normal: ["xavier_normal"],
  glorot_uniform: ["xavier", "xavier_uniform"],
  hard_silu: ["hard_swish"],
  hard_tanh: ["hardtanh"],
  he_normal: ["kaiming_normal"],
  he_uniform: ["kaiming", "kaiming_uniform"],
  heads: ["num_heads", "n_heads"],
  huber: ["smooth_l1", "smooth_l1_loss", "huber_loss"],
  keepdims: ["keepdim"],
  kernel: ["kernel_size"],
  kl_divergence: ["kl_div", "kl_div_loss", "kld"],
  layer_norm: ["layer_normalization"],
  lower_triangle: ["tril", "tri"],
  lr: ["learning_rate"],
  matmul: ["bmm", "mm"],
  max_pool1d: ["max_pooling1d"],
  max_pool2d: ["max_pooling2d"],
  mean_absolute_error: ["mae", "mae_loss", "l1_loss"],
  mean_squared_error: ["mse", "mse_loss"],
  multi_head_attention: ["mha", "multihead_attention"],
  multiply: ["mul"],
  negate: ["neg", "negative"],
  power: ["pow"],
  r2: ["r2_score", "r_squared"],
  rate: ["p", "drop_rate", "dropout_rate"],
  repeat_elements: ["repeat_interleave"],
  reshape: ["view"],
  resize2d: ["interpolate", "resize"],
  silu: ["swish"],
  simple_rnn: ["rnn"],
  size: ["pool_size", "numel", "window"],
  split: ["chunk"],
  stop_gradient: ["detach", "no_grad"],
  stride: ["strides"],
  subtract: ["sub"],
  take: ["index_select", "gather", "embedding_lookup"],
  take_along: ["take_along_axis"],
  topk: ["top_k"],
  transpose: ["permute"],
  units: ["out_features", "hidden_size"],
  upsample2d: ["upsampling2d", "upsample"],
  where: ["select", "ifelse"],
  width: ["embedding_dim", "output_dim"],
};

/** What is no single name here. */
const said: ReadonlyMap<string, string> = new Map([
  ["bilstm", "a layer in both directions is `x |> bidirectional(lstm, 64)`"],
  ["einsum", "write it in the notation of indices: `y[i, j] = sum(k) a[i, k] * b[k, j]`"],
  ["sequential", "layers follow one another with `|>`: `x |> dense(16) |> relu |> dense(10)`"],
]);

const plain = (name: string): string => name.toLowerCase().replaceAll("_", "");

const table: ReadonlyMap<string, string> = new Map(
  Object.entries(otherNames).flatMap(([ours, theirs]) => theirs.map((name) => [plain(name), ours] as const)),
);

/**
 * Help for a name that is not among the candidates: what other frameworks call so, or else the nearest one, and then what there is
 * to choose from, if that is given.
 */
export function helpFor(name: string, candidates: Iterable<string>, choice?: string): string | undefined {
  const guess = guessFor(name, [...candidates]);
  if (guess === undefined || choice === undefined) return guess ?? choice;
  return guess.endsWith("?") ? `${guess} ${choice}` : `${guess}; ${choice}`;
}

function guessFor(name: string, candidates: readonly string[]): string | undefined {
  const key = plain(name);
  const ours = table.get(key);
  if (ours !== undefined && candidates.includes(ours)) return `it is called \`${ours}\` here`;
  const instead = said.get(key);
  if (instead !== undefined) return instead;
  const near = candidates.find((candidate) => plain(candidate) === key) ?? closest(name, candidates);
  return near === undefined ? undefined : `did you mean \`${near}\`?`;
}
