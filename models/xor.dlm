/// Exclusive or: the smallest task that needs a hidden layer. Forward, loss, backward and update, all in one graph.
model Xor(x: f32[N, 2]) -> (probability: f32[N, 1]) {
  hidden = x |> dense(8) |> tanh
  logit = hidden |> dense(1)
  probability = sigmoid(logit)
}

train Xor {
  target label: f32[N, 1]
  data: rows(x: [[0, 0], [0, 1], [1, 0], [1, 1]], label: [[0], [1], [1], [0]])
  loss: binary_cross_entropy(logit, label)
  optimizer: adam(lr: 0.05)
  metrics: binary_accuracy(logit, label)
  epochs: 300
  batch: 4
  seed: 1
}
