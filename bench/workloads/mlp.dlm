/// W2: three dense layers. The calls bear the names that the harness gives their weights.
model Mlp(x: f32[N, 784]) -> (probs: f32[N, 10]) {
  logits = x |> dense(512) as l1 |> relu |> dense(512) as l2 |> relu |> dense(10) as l3
  probs = softmax(logits)
}
