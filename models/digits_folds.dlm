/// The simplest classifier, judged with care: five parts, each held back once, and what is taken for what.
model DigitsFolds(image: f32[N, 28, 28, 1]) -> (probs: f32[N, 10]) {
  logits = image |> average_pool2d(2) |> flatten |> dense(10)
  probs = softmax(logits)
}

train DigitsFolds {
  target label: i32[N]
  data: digits(1000, seed: 1)
  folds: 5
  loss: cross_entropy(logits, label)
  optimizer: sgd(lr: 0.1, momentum: 0.9)
  metrics: accuracy(logits, label), precision(logits, label), recall(logits, label), confusion(logits, label)
  epochs: 10
  batch: 32
  seed: 0
}
