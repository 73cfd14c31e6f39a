/// Metrics: what an epoch amounts to. A `total` is summed over the batches; the last expression is read at the end.
/// Losses can stand as metrics too, and are averaged over the rows.

/// The class of each row: labels as they are, or where a one-hot label has its greatest value.
block class_of(label) {
  if dtype(label) == i32 {
    label
  } else {
    argmax(label, axis: -1)
  }
}

/// The share of rows whose greatest logit is that of the label. Rows with the label `ignore` do not count.
metric accuracy(logits: f32[...B, K], label, ignore: int = none) {
  class = class_of(label)
  hit = cast(argmax(logits, axis: -1) == class, f32)
  counts = ones_like(hit)
  if ignore != none {
    counts = cast(class != ignore, f32)
  }
  total correct: f32[] += sum(hit * counts)
  total count: f32[] += sum(counts)
  correct / maximum(count, 1)
}

/// The share of elements on the right side: the logit above 0 where the label is above 1/2, and below where it is below.
metric binary_accuracy(logits: f32[...S], label: f32[...S]) {
  hit = (logits > 0) == (label > 0.5)
  total correct: f32[] += sum(cast(hit, f32))
  total count: f32[] += cast(prod(S), f32)
  correct / maximum(count, 1)
}

/// Of the rows that are said to be of a class, the share that is; the mean over the classes.
metric precision(logits: f32[...B, K], label) {
  said = one_hot(argmax(logits, axis: -1), K)
  true_ = one_hot(class_of(label), K)
  axes = range(len(B))
  total predicted: f32[K] += sum(said, axis: axes)
  total correct: f32[K] += sum(said * true_, axis: axes)
  mean(correct / maximum(predicted, 1))
}

/// Of the rows of a class, the share that is found; the mean over the classes.
metric recall(logits: f32[...B, K], label) {
  said = one_hot(argmax(logits, axis: -1), K)
  true_ = one_hot(class_of(label), K)
  axes = range(len(B))
  total present: f32[K] += sum(true_, axis: axes)
  total correct: f32[K] += sum(said * true_, axis: axes)
  mean(correct / maximum(present, 1))
}

/// The harmonic mean of precision and recall of each class; the mean over the classes.
metric f1(logits: f32[...B, K], label) {
  said = one_hot(argmax(logits, axis: -1), K)
  true_ = one_hot(class_of(label), K)
  axes = range(len(B))
  total predicted: f32[K] += sum(said, axis: axes)
  total present: f32[K] += sum(true_, axis: axes)
  total correct: f32[K] += sum(said * true_, axis: axes)
  mean(2 * correct / maximum(predicted + present, 1))
}

/// How many rows of each class (row) were said to be of each class (column).
metric confusion(logits: f32[...B, K], label) {
  said = reshape(one_hot(argmax(logits, axis: -1), K), [-1, K])
  true_ = reshape(one_hot(class_of(label), K), [-1, K])
  total table: f32[K, K] += transpose(true_) @ said
  table
}

/// The share of the variance of the target that the prediction explains: 1 - Σ (target - prediction)² / Σ (target - mean)².
metric r2(prediction: f32[...S], target: f32[...S]) {
  total count: f32[] += cast(prod(S), f32)
  total sums: f32[] += sum(target)
  total squares: f32[] += sum(square(target))
  total errors: f32[] += sum(square(target - prediction))
  1 - errors / (squares - sums * sums / count)
}

/// e to the power of the mean cross-entropy: among how many equally likely classes the model still wavers.
metric perplexity(logits: f32[...B, K], label) {
  rows = cast(prod(B), f32)
  total losses: f32[] += rows * cross_entropy(logits, label)
  total count: f32[] += rows
  exp(losses / maximum(count, 1))
}
