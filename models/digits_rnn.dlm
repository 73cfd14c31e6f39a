/// Reads an image as a text, one row of pixels after the other, and remembers. A gated recurrent network, written out.

/// What is kept of the past (`keep`) and how much of it is asked (`ask`) are learnt; h is the memory after each row.
block gated(x: f32[N, T, D], units: int) -> f32[N, T, units] {
  param kernel: f32[D, 3 * units] ~ glorot_uniform
  param recurrent_kernel: f32[units, 3 * units] ~ orthogonal
  param bias: f32[3 * units] ~ zeros
  given = x @ kernel + bias
  h = zeros([N, units])
  scan now in given along 1 carry h {
    keep_new, ask_new, candidate_new = split(now, 3, axis: -1)
    keep_old, ask_old, candidate_old = split(h @ recurrent_kernel, 3, axis: -1)
    keep = sigmoid(keep_new + keep_old)
    candidate = tanh(candidate_new + sigmoid(ask_new + ask_old) * candidate_old)
    h = keep * h + (1 - keep) * candidate
    yield h
  }
}

model DigitsRnn(image: f32[N, 28, 28, 1]) -> (probs: f32[N, 10]) {
  rows = reshape(image, [N, 28, 28])
  logits = (rows |> gated(48))[:, -1] |> dense(10)
  probs = softmax(logits)
}

train DigitsRnn {
  target label: i32[N]
  data: digits(4000, seed: 1)
  test: digits(500, seed: 2)
  loss: cross_entropy(logits, label)
  optimizer: adam(lr: 5e-3)
  metrics: accuracy(logits, label)
  clip: global_norm(1.0)
  epochs: 5
  batch: 32
  seed: 0
}
