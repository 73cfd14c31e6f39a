/// Few examples and many weights: dropout, a penalty on weights, shifted copies and early stopping against learning by heart.
model DigitsFew(image: f32[N, 28, 28, 1]) -> (probs: f32[N, 10]) {
  logits = image |> flatten |> dense(128) |> relu |> dropout(0.3) |> dense(10)
  probs = softmax(logits)
}

train DigitsFew {
  target label: i32[N]
  data: digits(400, seed: 1) |> augment(shift: 2)
  test: digits(500, seed: 2)
  validation: 20%
  loss: cross_entropy(logits, label) + l2(1e-4)
  optimizer: adam(lr: 2e-3)
  metrics: accuracy(logits, label)
  early_stop: val_loss, patience: 5
  epochs: 60
  batch: 32
  seed: 0
}
