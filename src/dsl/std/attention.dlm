/// Attention, and positions for it. Sequences have the axes [batch, time, features].

/// Every query gets the mean of the values, weighted by how well its key fits: softmax(q·k / √E) (Vaswani and others, 2017). Queries
/// [N, T, H, E] and keys [N, S, H, E] have H heads of E features. `causal` hides what comes later; `mask` [N, S] is false where
/// there is nothing to attend to, such as padding.
block attend(q: f32[N, T, H, E], k: f32[N, S, H, E], v: f32[N, S, H, F], causal: bool = false, mask = none)
    -> f32[N, T, H, F] {
  scores[n, h, t, s] = sum(e) q[n, t, h, e] * k[n, s, h, e] / sqrt(E)
  if causal {
    scores[n, h, t, s] = where(s <= t, scores[n, h, t, s], -1e9)
  }
  if mask != none {
    assert dtype(mask) == bool, "the mask should have elements bool, not {dtype(mask)}"
    assert shape(mask) == [N, S], "the mask is {shape(mask)}, and should be {[N, S]}"
    scores[n, h, t, s] = where(mask[n, s], scores[n, h, t, s], -1e9)
  }
  weights = softmax(scores)
  mixed[n, t, h, f] = sum(s) weights[n, h, t, s] * v[n, s, h, f]
  mixed
}

/// Attention with `heads` projections of queries, keys and values, side by side. Without `memory` the sequence attends to itself; with
/// it, to another one. `rotary` turns queries and keys by their positions.
block multi_head_attention(x: f32[N, T, D], memory = none, heads: int, causal: bool = false, mask = none,
                           rotary: bool = false, bias: bool = true) -> f32[N, T, D] {
  assert D % heads == 0, "D = {D} must divide by heads = {heads}"
  source = x
  if memory != none {
    source = memory
  }
  q = x |> dense(D, bias: bias) as query |> rearrange("n t (h e) -> n t h e", h: heads)
  k = source |> dense(D, bias: bias) as key |> rearrange("n s (h e) -> n s h e", h: heads)
  v = source |> dense(D, bias: bias) as value |> rearrange("n s (h e) -> n s h e", h: heads)
  if rotary {
    q = rotary_positions(q)
    k = rotary_positions(k)
  }
  attend(q, k, v, causal: causal, mask: mask) |> rearrange("n t h e -> n t (h e)") |> dense(D, bias: bias) as output
}

/// sin(t / baseⁱ) and cos(t / baseⁱ) for the positions t and i = 0, 2/D, 4/D …: the two of a frequency side by side (Vaswani and
/// others, 2017). Added to embeddings.
block sinusoidal_positions(length: int, width: int, base: float = 10000) -> f32[length, width] {
  assert width % 2 == 0, "width = {width} must be even"
  frequency = base ** (arange(width / 2) * (-2.0 / width))
  angle = expand_dims(arange(length), 1) * expand_dims(frequency, 0)
  reshape(stack([sin(angle), cos(angle)], axis: 2), [length, width])
}

/// Turns pairs of features by angles that grow with the position, so that the product of a query and a key depends on their
/// distance alone (Su and others, 2021). Feature i is paired with feature i + E/2; `start` is the position of the first row.
block rotary_positions(x: f32[N, T, H, E], base: float = 10000, start: int = 0) -> f32[N, T, H, E] {
  assert E % 2 == 0, "E = {E} must be even"
  frequency = base ** (arange(E / 2) * (-2.0 / E))
  angle = reshape(expand_dims(arange(T) + start, 1) * expand_dims(frequency, 0), [T, 1, E / 2])
  first, second = split(x, 2, axis: -1)
  concatenate([first * cos(angle) - second * sin(angle), second * cos(angle) + first * sin(angle)], axis: -1)
}
