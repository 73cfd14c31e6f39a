/// The exclusive or.
model Xor(x: f32[N, 2]) -> (y: f32[N, 1]) {
  logits = x |> dense(8) |> tanh |> dense(1)
  y = sigmoid(logits)
}
