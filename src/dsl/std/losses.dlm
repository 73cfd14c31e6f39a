/// Losses: one number that says how wrong a batch is, the mean over its rows.

/// -log(softmax(logits)[label]): how unlikely the right class is thought to be. Labels are integers i32[...B], or one
/// probability for each class, f32[...B, K]. Rows whose label is `ignore` do not count; if none counts, the loss is 0.
/// Any other label that is no class makes the loss infinite, which training reports. `smoothing` moves that share of each label evenly
/// to all classes (Szegedy and others, 2015). `class_weights` [K] and `row_weights` [...B] weigh the mean.
block cross_entropy(logits: f32[...B, K], label, ignore: int = none, smoothing: float = 0, class_weights: f32[K] = none,
                    row_weights: f32[...B] = none) -> f32[] {
  log_p = log_softmax(logits)
  if dtype(label) == f32 {
    assert shape(label) == B + [K], "labels {shape(label)} do not fit logits {B + [K]}"
    assert ignore == none, "ignore is for integer labels"
    if class_weights != none {
      log_p = log_p * class_weights
    }
    weighted_mean(-sum(smoothed(label, smoothing) * log_p, axis: -1), row_weights)
  } else {
    assert dtype(label) == i32, "labels are i32 or f32, not {dtype(label)}"
    assert shape(label) == B, "integer labels {shape(label)} do not fit logits {B + [K]}; they should be {B}"
    known = label >= 0 && label < K
    hit = one_hot(label, K, bool)
    losses = where(known, -sum(where(hit, log_p, 0), axis: -1), inf)
    if smoothing > 0 {
      losses = where(known, (1 - smoothing) * losses - smoothing * mean(log_p, axis: -1), inf)
    }
    if class_weights != none {
      of_label = take(class_weights, label)
      if row_weights == none {
        row_weights = of_label
      } else {
        row_weights = row_weights * of_label
      }
    }
    if ignore == none {
      weighted_mean(losses, row_weights)
    } else {
      counts = label != ignore
      if row_weights == none {
        sum(where(counts, losses, 0)) / maximum(sum(cast(counts, f32)), 1)
      } else {
        sum(where(counts, losses * row_weights, 0)) / maximum(sum(where(counts, row_weights, 0)), 1e-12)
      }
    }
  }
}

/// The mean of the losses of the rows, or Σ weight · loss / Σ weight, which is 0 where nothing weighs.
block weighted_mean(losses: f32[...B], weights: f32[...B] = none) -> f32[] {
  if weights == none {
    mean(losses)
  } else {
    sum(weights * losses) / maximum(sum(weights), 1e-12)
  }
}

/// Probabilities of classes, a `share` of which goes evenly to all of them.
block smoothed(label: f32[...B, K], share: float = 0) -> f32[...B, K] {
  if share == 0 {
    label
  } else {
    (1 - share) * label + share / K
  }
}

/// Cross-entropy in which rows that are sure already count less: -(1 - p)^gamma · log p (Lin and others, 2017). `class_weights` are
/// the α of the paper.
block focal_loss(logits: f32[...B, K], label: i32[...B], gamma: float = 2, class_weights: f32[K] = none) -> f32[] {
  hit = one_hot(label, K, bool)
  log_p = sum(where(hit, log_softmax(logits), 0), axis: -1)
  losses = -(-expm1(minimum(log_p, -1e-7))) ** gamma * log_p
  if class_weights != none {
    losses = losses * take(class_weights, label)
  }
  mean(losses)
}

/// -label · log(p) - (1 - label) · log(1 - p) with p = sigmoid(logits), in the form that cannot overflow:
/// max(x, 0) - x · label + log(1 + e^-|x|). Errors on positive labels count `positive_weight` times.
block binary_cross_entropy(logits: f32[...S], label: f32[...S], positive_weight: float = 1) -> f32[] {
  low = logits < 0
  tail = log1p(exp(where(low, logits, -logits)))
  if positive_weight == 1 {
    mean(where(low, 0, logits) - logits * label + tail)
  } else {
    mean((1 - label) * logits + (1 + (positive_weight - 1) * label) * (tail - where(low, logits, 0)))
  }
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

/// log cosh(prediction - target): squared near 0, linear far away, smooth throughout.
block log_cosh(prediction: f32[...S], target: f32[...S]) -> f32[] {
  error = prediction - target
  mean(softplus(-2 * error) + error - log(2.0))
}

/// prediction - target · log(prediction) from the logarithm of the prediction, for counts: e^x - target · x.
block poisson_loss(log_prediction: f32[...S], target: f32[...S]) -> f32[] = mean(exp(log_prediction) - target * log_prediction)

/// The mean of `level` · error where the prediction is too low, and (1 - level) · error where it is too high: it is least at the
/// `level` quantile (Koenker and Bassett, 1978).
block quantile_loss(prediction: f32[...S], target: f32[...S], level: float = 0.5) -> f32[] {
  error = target - prediction
  mean(maximum(level * error, (level - 1) * error))
}

/// 1 - 2 Σ p · t / (Σ p + Σ t) with p = sigmoid(logits), for masks of images: how little they overlap (Milletari and others, 2016).
block dice_loss(logits: f32[N, ...S], label: f32[N, ...S], smooth: float = 1) -> f32[] {
  p = reshape(sigmoid(logits), [N, prod(S)])
  t = reshape(label, [N, prod(S)])
  mean(1 - (2 * sum(p * t, axis: 1) + smooth) / (sum(p, axis: 1) + sum(t, axis: 1) + smooth))
}

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

/// Both penalties together: l1(first) + l2(second).
block elastic_net(first: float, second: float) -> f32[] = l1(first) + l2(second)

/// weight · Σ (WᵀW - 1)² over the kernels: their columns are drawn towards length 1 and right angles.
block orthogonal_penalty(weight: float) -> f32[] {
  total = zeros([])
  for w in parameters() {
    if rank(w) >= 2 {
      rows = reshape(w, [-1, shape(w)[-1]])
      products[i, j] = sum(r) rows[r, i] * rows[r, j] - cast(i == j, f32)
      total = total + sum(square(products))
    }
  }
  weight * total
}

/// radius · |∇ loss|: with it the loss is to first order the greatest within `radius` of the weights, so that flat minima are
/// sought. This is the objective of sharpness-aware minimisation (Foret and others, 2020), by a gradient of a gradient (Zhao and others, 2022):
/// `loss: l + sharpness(l, 0.05)`.
block sharpness(loss: f32[], radius: float = 0.05) -> f32[] = radius * global_norm(grad(loss, parameters()))
