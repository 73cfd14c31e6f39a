/// W3: the convolutional network of the primer, and one step of its training on labels as one-hot rows.
model Cnn(x: f32[N, 28, 28, 1]) -> (probs: f32[N, 10]) {
  logits = x
    |> conv2d(32, kernel: 3) as c1 |> relu |> max_pool2d(2)
    |> conv2d(64, kernel: 3) as c2 |> relu |> max_pool2d(2)
    |> flatten
    |> dense(128) as d1 |> relu
    |> dense(10) as d2
  probs = softmax(logits)
}

train Cnn {
  target y: f32[N, 10]
  data: digits(32)                 // not read: the harness gives the batch
  loss: cross_entropy(logits, y)
  optimizer: adam(lr: 1e-3, epsilon: 1e-7)
  epochs: 1
  batch: 32
  seed: 0
}
