/// A small transformer that reads an image as sixteen patches of 7 × 7 pixels, each of which looks at all others.

/// One head: every patch asks (q), offers (k) and tells (v).
block look_around(x: f32[N, T, D]) -> f32[N, T, D] {
  q = x |> dense(D)
  k = x |> dense(D)
  v = x |> dense(D)
  scores[n, t, s] = sum(d) q[n, t, d] * k[n, s, d] / sqrt(D)
  shares[n, t, s] = softmax(s) scores[n, t, s]
  seen[n, t, d] = sum(s) shares[n, t, s] * v[n, s, d]
  seen |> dense(D)
}

model DigitsAttention(image: f32[N, 28, 28, 1]) -> (probs: f32[N, 10]) {
  param places: f32[16, 32] ~ normal(0, 0.02)
  patches = rearrange(image, "n (row h) (column w) c -> n (row column) (h w c)", h: 7, w: 7)
  x = (patches |> dense(32)) + places
  repeat 2 {
    x = x + (x |> layer_norm |> look_around)
    x = x + (x |> layer_norm |> dense(64) |> gelu |> dense(32))
  }
  logits = x |> layer_norm |> mean(axis: 1) |> dense(10)
  probs = softmax(logits)
}

train DigitsAttention {
  target label: i32[N]
  data: digits(4000, seed: 1)
  test: digits(500, seed: 2)
  loss: cross_entropy(logits, label)
  optimizer: adamw(lr: cosine_decay(3e-3, steps: 600), weight_decay: 1e-2)
  metrics: accuracy(logits, label)
  clip: global_norm(1.0)
  epochs: 5
  batch: 32
  seed: 0
}
