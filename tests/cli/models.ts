// Programs of the command line's tests.

/** Exclusive or, as in the primer, with few epochs. */
export const xor = `/// The exclusive or.
model Xor(x: f32[N, 2]) -> (y: f32[N, 1]) {
  logits = x |> dense(8) |> tanh |> dense(1)
  y = sigmoid(logits)
}

train Xor {
  target label: f32[N, 1]
  data: rows(x: [[0, 0], [0, 1], [1, 0], [1, 1]], label: [[0], [1], [1], [0]])
  loss: binary_cross_entropy(logits, label)
  optimizer: adam(lr: 0.05)
  metrics: binary_accuracy(logits, label)
  epochs: 3
  batch: 4
  seed: 1
}
`;

/** A small network on drawn digits: shuffling, dropout and running statistics make a run depend on all that is kept. */
export const digits = `/// Reads digits.
model Reader(image: f32[N, 28, 28, 1]) -> (probs: f32[N, 10]) {
  logits = image
    |> average_pool2d(4)
    |> flatten
    |> normalize
    |> dense(32) |> relu
    |> dropout(0.2)
    |> dense(10)
  probs = softmax(logits)
}

train Reader {
  target label: i32[N]
  data: digits(200)
  test: digits(50)
  validation: 10%
  loss: cross_entropy(logits, label)
  optimizer: adam(lr: 1e-3)
  metrics: accuracy(logits, label)
  epochs: 2
  batch: 16
  seed: 4
}
`;

/** Draws on the model of another file, with its weights. */
export const saliency = `/// Which pixels decide?
import { Reader } from "./digits.dlm"

model Saliency(image: f32[N, 28, 28, 1]) -> (heat: f32[N, 28, 28], probs: f32[N, 10]) {
  probs = Reader(image)
  heat = abs(grad(sum(max(probs, axis: -1)), image))[..., 0]
}
`;
