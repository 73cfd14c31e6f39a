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

/// The share of rows whose label is among the `k` greatest logits.
metric top_k_accuracy(logits: f32[...B, K], label, k: int = 5) {
  class = class_of(label)
  right = expand_dims(take_along(logits, class), -1)
  better = sum(cast(logits > right, f32), axis: -1)
  total correct: f32[] += sum(cast(better < k, f32))
  total count: f32[] += cast(prod(B), f32)
  correct / maximum(count, 1)
}

/// The mean of the classes' recalls, over the classes that occur: what accuracy would be if they were equally frequent.
metric balanced_accuracy(logits: f32[...B, K], label) {
  said = one_hot(argmax(logits, axis: -1), K)
  true_ = one_hot(class_of(label), K)
  axes = range(len(B))
  total present: f32[K] += sum(true_, axis: axes)
  total correct: f32[K] += sum(said * true_, axis: axes)
  sum(correct / maximum(present, 1)) / maximum(sum(cast(present > 0, f32)), 1)
}

/// Matthews' correlation of what was said with what is true, for any number of classes: 1 for all right, 0 for chance
/// (Gorodkin, 2004).
metric matthews(logits: f32[...B, K], label) {
  said = one_hot(argmax(logits, axis: -1), K)
  true_ = one_hot(class_of(label), K)
  axes = range(len(B))
  total predicted: f32[K] += sum(said, axis: axes)
  total present: f32[K] += sum(true_, axis: axes)
  total correct: f32[] += sum(said * true_)
  n = sum(present)
  spread = (square(n) - sum(square(predicted))) * (square(n) - sum(square(present)))
  (correct * n - sum(predicted * present)) / sqrt(maximum(spread, 1))
}

/// Of the elements that are said to be of a class or are, the share that is both; the mean over the classes that occur at all.
metric intersection_over_union(logits: f32[...B, K], label) {
  said = one_hot(argmax(logits, axis: -1), K)
  true_ = one_hot(class_of(label), K)
  axes = range(len(B))
  total both: f32[K] += sum(said * true_, axis: axes)
  total either: f32[K] += sum(maximum(said, true_), axis: axes)
  sum(both / maximum(either, 1)) / maximum(sum(cast(either > 0, f32)), 1)
}

/// The area under the curve of true against false positives, for labels of 0 and 1: the chance that a positive scores higher than
/// a negative. Scores are sigmoid(logits), told apart at `thresholds` evenly spread levels.
metric auc(logits: f32[...S], label: T[...S], thresholds: int = 200) {
  score = reshape(sigmoid(logits), [-1])
  positive = reshape(cast(label, f32), [-1])
  level = (arange(thresholds) + 0.5) / thresholds
  above[i, r] = cast(score[r] > level[i], f32)
  total true_positives: f32[thresholds] += above @ positive
  total false_positives: f32[thresholds] += above @ (1 - positive)
  total positives: f32[] += sum(positive)
  total negatives: f32[] += sum(1 - positive)
  found = concatenate([ones([1]), true_positives / maximum(positives, 1), zeros([1])])
  wrong = concatenate([ones([1]), false_positives / maximum(negatives, 1), zeros([1])])
  sum((wrong[:-1] - wrong[1:]) * (found[:-1] + found[1:])) / 2
}

/// How far the probability of the class that is said is from the share of rows where it is right: the mean over `bins` of
/// probabilities, weighted by their rows (Guo and others, 2017).
metric calibration_error(logits: f32[...B, K], label, bins: int = 15) {
  p = reshape(max(softmax(logits), axis: -1), [-1])
  right = reshape(cast(argmax(logits, axis: -1) == class_of(label), f32), [-1])
  bin = one_hot(minimum(cast(floor(p * bins), i32), bins - 1), bins)
  total rows: f32[bins] += sum(bin, axis: 0)
  total hits: f32[bins] += right @ bin
  total sureness: f32[bins] += p @ bin
  sum(abs(hits - sureness)) / maximum(sum(rows), 1)
}

/// The mean of |target - prediction| / |target|; targets of 0 count with `epsilon` instead.
metric mean_absolute_percentage_error(prediction: f32[...S], target: f32[...S], epsilon: float = 1e-7) {
  total errors: f32[] += sum(abs(target - prediction) / maximum(abs(target), epsilon))
  total count: f32[] += cast(prod(S), f32)
  errors / maximum(count, 1)
}

/// √mean((prediction - target)²) over all rows of the epoch.
metric root_mean_squared_error(prediction: f32[...S], target: f32[...S]) {
  total errors: f32[] += sum(square(prediction - target))
  total count: f32[] += cast(prod(S), f32)
  sqrt(errors / maximum(count, 1))
}
