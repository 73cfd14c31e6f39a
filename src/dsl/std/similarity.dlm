/// Losses that compare: distributions, directions, and what should lie near or far.

/// Σ p · log(p / q) of the distributions along the last axis, from their logarithms; the mean over the rows (Kullback and Leibler, 1951).
block kl_divergence(log_p: f32[...B, K], log_q: f32[...B, K]) -> f32[]
  = mean(sum(exp(log_p) * (log_p - log_q), axis: -1))

/// x·y / (|x| |y|) of each row.
block cosine_similarity(x: f32[...B, D], y: f32[...B, D], epsilon: float = 1e-8) -> f32[...B] {
  lengths = sqrt(maximum(sum(x * x, axis: -1) * sum(y * y, axis: -1), epsilon * epsilon))
  sum(x * y, axis: -1) / lengths
}

/// 1 - cosine_similarity: rows should point the same way.
block cosine_loss(x: f32[...B, D], y: f32[...B, D]) -> f32[] = mean(1 - cosine_similarity(x, y))

/// |x - y| of each row; `epsilon` is added to each difference, so that the gradient is finite where the rows are equal.
block distance(x: f32[...B, D], y: f32[...B, D], epsilon: float = 1e-6) -> f32[...B]
  = sqrt(sum(square(x - y + epsilon), axis: -1))

/// max(0, |anchor - positive| - |anchor - negative| + margin): the positive should be nearer, by `margin` (Schroff and others, 2015).
block triplet_loss(anchor: f32[...B, D], positive: f32[...B, D], negative: f32[...B, D], margin: float = 1) -> f32[]
  = mean(maximum(distance(anchor, positive) - distance(anchor, negative) + margin, 0))

/// d² for pairs that are `same` (1), max(0, margin - d)² for others (0): others should be at least `margin` apart (Hadsell and others, 2006).
block contrastive_loss(x: f32[...B, D], y: f32[...B, D], same: f32[...B], margin: float = 1) -> f32[] {
  d = distance(x, y)
  mean(same * square(d) + (1 - same) * square(maximum(margin - d, 0)))
}

/// Row i of x should fit row i of y better than any other row of the batch, and the other way round: cross-entropy of their
/// cosines / temperature (van den Oord and others, 2018; Radford and others, 2021).
block info_nce(x: f32[N, D], y: f32[N, D], temperature: float = 0.1) -> f32[] {
  a = unit_length(x)
  b = unit_length(y)
  fit[i, j] = sum(d) a[i, d] * b[j, d] / temperature
  label = arange(N, dtype: i32)
  (cross_entropy(fit, label) + cross_entropy(transpose(fit), label)) / 2
}

/// max(0, margin - direction · (x - y)): where direction is 1, x should be greater by `margin`, where it is -1, y.
block ranking_loss(x: f32[...S], y: f32[...S], direction: f32[...S], margin: float = 0) -> f32[]
  = mean(maximum(margin - direction * (x - y), 0))
