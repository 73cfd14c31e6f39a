/// Labels for one image in twenty. The others teach too: an image with noise should get the same answer.
model Reader(image: f32[N, 28, 28, 1]) -> (logits: f32[N, 10]) {
  logits = image |> flatten |> dense(128) |> relu |> dense(10)
}

model DigitsHiddenLabels(image: f32[N, 28, 28, 1]) -> (probs: f32[N, 10]) {
  logits = Reader(image)
  noisy = Reader(image + 0.2 * random_normal([N, 28, 28, 1]))   // the same weights
  probs = softmax(logits)
}

train DigitsHiddenLabels {
  target label: i32[N]
  data: digits(4000, seed: 1) |> hide_labels(95%)
  test: digits(500, seed: 2)
  loss: cross_entropy(logits, label, ignore: -1)
    + 20 * mean_squared_error(softmax(noisy), stop_gradient(probs))
  optimizer: adam(lr: 1e-3)
  metrics: accuracy(logits, label, ignore: -1)
  epochs: 5
  batch: 64
  seed: 0
}
