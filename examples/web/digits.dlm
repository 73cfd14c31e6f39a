/// What the page asks: how likely each digit is, and which points of the picture decide.
model Digits(image: f32[N, 28, 28, 1]) -> (probs: f32[N, 10], heat: f32[N, 28, 28]) {
  logits = image |> Network
  probs = softmax(logits)
  winner = max(logits, axis: -1)
  heat = abs(grad(sum(winner), image))[..., 0]
}

/// A network small enough to travel with a page: 14,410 numbers.
model Network(image: f32[N, 28, 28, 1]) -> (logits: f32[N, 10]) {
  logits = image
    |> conv2d(8, kernel: 3) |> relu
    |> max_pool2d(2)
    |> conv2d(16, kernel: 3) |> relu
    |> max_pool2d(2)
    |> flatten
    |> dense(32) |> relu
    |> dense(10)
}

/// On MNIST. Shifted and turned a little, for nobody draws in the middle.
train Network {
  target label: i32[N]
  data: idx("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz") |> augment(shift: 2, rotate: 12)
  test: idx("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
  loss: cross_entropy(logits, label)
  optimizer: adam(lr: cosine_decay(3e-3, steps: 9380, warmup: 200))
  metrics: accuracy(logits, label)
  epochs: 10
  batch: 64
  seed: 0
}
