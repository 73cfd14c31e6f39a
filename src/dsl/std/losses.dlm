/// Losses: one number that says how wrong a batch is, the mean over its rows.

/// -log(softmax(logits)[label]): how unlikely the right class is thought to be. Labels are integers i32[...B], or one
/// probability for each class, f32[...B, K]. Rows whose label is `ignore` do not count; if none counts, the loss is 0.
/// Any other label that is no class makes the loss infinite, which training reports.
block cross_entropy(logits: f32[...B, K], label, ignore: int = none) -> f32[] {
  log_p = log_softmax(logits)
  if dtype(label) == f32 {
    assert shape(label) == B + [K], "labels {shape(label)} do not fit logits {B + [K]}"
    assert ignore == none, "ignore is for integer labels"
    mean(-sum(label * log_p, axis: -1))
  } else {
    assert dtype(label) == i32, "labels are i32 or f32, not {dtype(label)}"
    assert shape(label) == B, "integer labels {shape(label)} do not fit logits {B + [K]}; they should be {B}"
    known = label >= 0 && label < K
    losses = where(known, -sum(where(one_hot(label, K, bool), log_p, 0), axis: -1), inf)
    if ignore == none {
      mean(losses)
    } else {
      counts = label != ignore
      sum(where(counts, losses, 0)) / maximum(sum(cast(counts, f32)), 1)
    }
  }
}

/// -label · log(p) - (1 - label) · log(1 - p) with p = sigmoid(logits), in the form that cannot overflow:
/// max(x, 0) - x · label + log(1 + e^-|x|).
block binary_cross_entropy(logits: f32[...S], label: f32[...S]) -> f32[] {
  low = logits < 0
  mean(where(low, 0, logits) - logits * label + log1p(exp(where(low, logits, -logits))))
}

/// mean((prediction - target)²)
block mean_squared_error(prediction: f32[...S], target: f32[...S]) -> f32[] = mean(square(prediction - target))

/// mean(|prediction - target|)
block mean_absolute_error(prediction: f32[...S], target: f32[...S]) -> f32[] = mean(abs(prediction - target))

/// Squared up to an error of `delta`, linear beyond: outliers pull less (Huber, 1964).
block huber(prediction: f32[...S], target: f32[...S], delta: float = 1) -> f32[] {
  error = prediction - target
  size = abs(error)
  mean(where(size < delta, 0.5 * square(error), delta * (size - 0.5 * delta)))
}

/// mean(max(0, 1 - label · score)), for labels of -1 and 1.
block hinge(score: f32[...S], label: f32[...S]) -> f32[] = mean(maximum(1 - label * score, 0))

/// weight · Σ |w| over the kernels: all trainable tensors with two axes or more, so not biases and scales.
block l1(weight: float) -> f32[] {
  total = zeros([])
  for w in parameters() {
    if rank(w) >= 2 {
      total = total + sum(abs(w))
    }
  }
  weight * total
}

/// weight · Σ w² over the kernels: all trainable tensors with two axes or more, so not biases and scales.
block l2(weight: float) -> f32[] {
  total = zeros([])
  for w in parameters() {
    if rank(w) >= 2 {
      total = total + sum(square(w))
    }
  }
  weight * total
}
