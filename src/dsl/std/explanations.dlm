/// Explanations: why a model decided as it did. Each gives every element of an input a share in the score of a class. They
/// stand on `grad`, and on running the model on inputs that were changed a little. `dlm explain` makes pages of them.

/// A one for the class that each row scores highest, which explanations hold fixed.
block winning(scores: f32[...B, K]) = stop_gradient(one_hot(argmax(scores, axis: -1), K))

/// |∂ score / ∂ x|: how much the score moves with each element (Simonyan et al., 2013). `classes` has a one for the class
/// asked about, or any other weights of the scores.
block saliency(x: f32[N, ...S], model: fn, classes: f32[N, K]) -> f32[N, ...S] {
  abs(grad(sum(model(x) * classes), x))
}

/// (x - baseline) · ∫ ∂ score / ∂ x along the straight line from the baseline to x (Sundararajan et al., 2017), by the
/// midpoints of `steps` pieces. The shares add up to the difference of the two scores.
block integrated_gradients(x: f32[N, ...S], model: fn, classes: f32[N, K], baseline: float = 0,
                           steps: int = 32) -> f32[N, ...S] {
  along = (arange(steps) + 0.5) / steps
  repeat rank(x) {
    along = expand_dims(along, axis: -1)
  }
  points = reshape(baseline + along * (x - baseline), [steps * N] + S)
  scores = reshape(model(points), [steps, N, K]) * classes
  slopes = reshape(grad(sum(scores), points), [steps, N] + S)
  (x - baseline) * mean(slopes, axis: 0)
}

/// Where each of `count` pieces of at most `length` places lies on an axis of `size` places: f32[count, size].
block pieces(size: int, length: int) {
  count = int((size + length - 1) / length)
  transpose(one_hot(floor_divide(arange(size, dtype: i32), length), count))
}

/// The parts of an input with the sizes `S` that are hidden in turn, a one for each hidden element: squares of an image, single
/// elements of anything else. f32[parts, 1, ...S], for an image with one channel.
block parts(S: int[], patch: int) {
  if len(S) == 3 {
    rows = reshape(pieces(S[0], patch), [-1, 1, S[0], 1])
    columns = reshape(pieces(S[1], patch), [1, -1, 1, S[1]])
    reshape(rows * columns, [-1, 1, S[0], S[1], 1])
  } else {
    reshape(eye(prod(S)), [prod(S), 1] + S)
  }
}

/// How far the score falls when a part of x is replaced by the baseline (Zeiler and Fergus, 2014): squares of `patch` × `patch`
/// pixels of an image, single elements of anything else.
block occlusion(x: f32[N, ...S], model: fn, classes: f32[N, K], baseline: float = 0, patch: int = 4) -> f32[N, ...S] {
  hidden = parts(S, patch)
  P = shape(hidden)[0]
  changed = reshape(x * (1 - hidden) + baseline * hidden, [P * N] + S)
  falls = sum((model(x) - reshape(model(changed), [P, N, K])) * classes, axis: -1)
  repeat len(S) {
    falls = expand_dims(falls, axis: -1)
  }
  broadcast_to(sum(falls * hidden, axis: 0), [N] + S)
}

/// Weights that spread `from` places over `to` by linear interpolation between their middles: f32[to, from].
block interpolation(from: int, to: int) {
  place = clip((arange(to) + 0.5) * (from / to) - 0.5, 0, from - 1)
  maximum(1 - abs(expand_dims(place, axis: 1) - arange(from)), 0)
}

/// Where the last features of a convolutional network speak for the class (Grad-CAM; Selvaraju et al., 2017): the features, each
/// weighted by the mean of its gradient, as far as their sum is positive, enlarged to `size`.
block grad_cam(features: f32[N, H, W, C], score: f32[], size: int[2]) -> f32[N, size[0], size[1]] {
  weights = mean(grad(score, features), axis: [1, 2], keepdims: true)
  map = maximum(sum(features * weights, axis: -1), 0)
  interpolation(H, size[0]) @ map @ transpose(interpolation(W, size[1]))
}
