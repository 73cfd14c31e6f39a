/// The convolutional network of the primer, small, on digits that dlm draws itself (synthetic, not handwriting).
const classes = 10

model DigitsCnn(image: f32[N, 28, 28, 1]) -> (probs: f32[N, classes]) {
  logits = image
    |> conv2d(8, kernel: 3) |> relu
    |> max_pool2d(2)
    |> conv2d(16, kernel: 3) |> relu
    |> max_pool2d(2)
    |> flatten
    |> dense(64) |> relu
    |> dense(classes)
  probs = softmax(logits)
}

train DigitsCnn {
  target label: i32[N]
  data: digits(6000, seed: 1)
  test: digits(1000, seed: 2)
  loss: cross_entropy(logits, label)
  optimizer: adam(lr: 2e-3)
  metrics: accuracy(logits, label)
  epochs: 3
  batch: 32
  seed: 0
}
