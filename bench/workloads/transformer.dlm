/// W4: one pre-norm transformer layer; queries, keys and values come out of one dense layer.
block attention(x: f32[N, T, D], heads: int) -> f32[N, T, D] {
  E = D / heads
  q, k, v = split(x |> dense(3 * D) as qkv, 3, axis: -1)
  scores = rearrange(q, "n t (h e) -> n h t e", h: heads) @ rearrange(k, "n s (h e) -> n h e s", h: heads)
  mixed = softmax(scores / sqrt(E)) @ rearrange(v, "n s (h e) -> n h s e", h: heads)
  mixed |> rearrange("n h t e -> n t (h e)") |> dense(D) as o
}

model Transformer(x: f32[1, 128, 256]) -> (y: f32[1, 128, 256]) {
  x = x + (x |> layer_norm as ln1 |> attention(4) as attention)
  y = x + (x |> layer_norm as ln2 |> dense(1024) as f1 |> gelu |> dense(256) as f2)
}
