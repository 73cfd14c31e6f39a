/// Optimizers: from a parameter `w` and the gradient `g` of the loss to the new parameter. Called once for each parameter.
/// `step` is the number of updates done before, 0 at first; `lr` may be a schedule.

/// A running sum or mean, or 0 where it has faded below 2⁻¹²⁶. Smaller numbers are denormal: a processor takes a hundred times as long
/// for each, and where a gradient stays 0 they stay, since 0.9 times the smallest of them rounds to itself.
block faded(x) = where(abs(x) < 1.17549435e-38, 0, x)

/// Down the gradient; with `momentum`, along a running sum of gradients. `nesterov` looks one step ahead.
optimizer sgd(w, g, lr: float = 0.01, momentum: float = 0, nesterov: bool = false) {
  if momentum == 0 {
    w - lr * g
  } else {
    state v = zeros_like(w)
    update v = faded(momentum * v - lr * g)
    if nesterov {
      w + momentum * v - lr * g
    } else {
      w + v
    }
  }
}

/// Steps are divided by the root of a running mean of the squared gradient (Hinton, 2012).
optimizer rmsprop(w, g, lr: float = 1e-3, rho: float = 0.9, epsilon: float = 1e-7) {
  state v = zeros_like(w)
  update v = faded(rho * v + (1 - rho) * square(g))
  w - lr * g / (sqrt(v) + epsilon)
}

/// What Adam and AdamW subtract, before the learning rate: m̂ / (√v̂ + ε), where m and v are running means of the gradient and
/// its square, and the hats undo that both began at 0: 1 - βᵗ, by expm1, which keeps its digits when β is near 1.
block adam_direction(m, v, step, beta1: float, beta2: float, epsilon: float) {
  t = step + 1
  m_hat = m / -expm1(t * log(beta1))
  v_hat = v / -expm1(t * log(beta2))
  m_hat / (sqrt(v_hat) + epsilon)
}

/// Adam (Kingma and Ba, 2014).
optimizer adam(w, g, step, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-7) {
  state m = zeros_like(w)
  state v = zeros_like(w)
  update m = faded(beta1 * m + (1 - beta1) * g)
  update v = faded(beta2 * v + (1 - beta2) * square(g))
  w - lr * adam_direction(m, v, step, beta1, beta2, epsilon)
}

/// Adam with weight decay beside the gradient: every parameter also shrinks by lr · weight_decay (Loshchilov and Hutter, 2017).
optimizer adamw(w, g, step, lr: float = 1e-3, weight_decay: float = 0.01, beta1: float = 0.9, beta2: float = 0.999,
                epsilon: float = 1e-7) {
  state m = zeros_like(w)
  state v = zeros_like(w)
  update m = faded(beta1 * m + (1 - beta1) * g)
  update v = faded(beta2 * v + (1 - beta2) * square(g))
  w * (1 - lr * weight_decay) - lr * adam_direction(m, v, step, beta1, beta2, epsilon)
}

/// Steps are divided by the root of the sum of all squared gradients so far, which begins at `initial` (Duchi and others, 2011).
optimizer adagrad(w, g, lr: float = 1e-3, initial: float = 0.1, epsilon: float = 1e-7) {
  state v = zeros_like(w) + initial
  update v = v + square(g)
  w - lr * g / (sqrt(v) + epsilon)
}

/// Steps are the root of a running mean of squared steps over that of squared gradients, so that no rate is needed (Zeiler, 2012).
optimizer adadelta(w, g, lr: float = 1, rho: float = 0.9, epsilon: float = 1e-6) {
  state v = zeros_like(w)
  state u = zeros_like(w)
  update v = faded(rho * v + (1 - rho) * square(g))
  d = sqrt(u + epsilon) / sqrt(v + epsilon) * g
  update u = faded(rho * u + (1 - rho) * square(d))
  w - lr * d
}

/// Adam with the greatest gradient, which fades by beta2, instead of the root of the mean square (Kingma and Ba, 2014, section 7.1).
optimizer adamax(w, g, step, lr: float = 2e-3, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) {
  state m = zeros_like(w)
  state v = zeros_like(w)
  update m = faded(beta1 * m + (1 - beta1) * g)
  update v = maximum(beta2 * v, abs(g) + epsilon)
  w - lr / -expm1((step + 1) * log(beta1)) * m / v
}

/// Adam that looks one step ahead, as Nesterov's momentum does; its momentum grows from beta1 / 2 to beta1 (Dozat, 2016).
optimizer nadam(w, g, step, lr: float = 2e-3, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8,
                momentum_decay: float = 4e-3) {
  state m = zeros_like(w)
  state v = zeros_like(w)
  state product = ones([])                                     // of the momenta so far
  t = step + 1
  now = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
  next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
  update m = faded(beta1 * m + (1 - beta1) * g)
  update v = faded(beta2 * v + (1 - beta2) * square(g))
  update product = product * now
  ahead = next * m / (1 - product * next) + (1 - now) * g / (1 - product)
  w - lr * ahead / (sqrt(v / -expm1(t * log(beta2))) + epsilon)
}

/// Adam that begins without adapting, until the mean of squares rests on enough steps to be trusted (Liu and others, 2019).
optimizer radam(w, g, step, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) {
  state m = zeros_like(w)
  state v = zeros_like(w)
  update m = faded(beta1 * m + (1 - beta1) * g)
  update v = faded(beta2 * v + (1 - beta2) * square(g))
  t = step + 1
  left = -expm1(t * log(beta2))                                // 1 - beta2ᵗ
  longest = 2 / (1 - beta2) - 1
  length = longest - 2 * t * (1 - left) / left
  trusted = length > 5
  enough = where(trusted, length, 6)
  trust = sqrt((enough - 4) * (enough - 2) * longest / ((longest - 4) * (longest - 2) * enough))
  m_hat = m / -expm1(t * log(beta1))
  w - lr * m_hat * where(trusted, trust * sqrt(left) / (sqrt(v) + epsilon), 1)
}

/// AdamW whose step for each parameter is as long as the parameter, for large batches (You and others, 2019).
optimizer lamb(w, g, step, lr: float = 1e-3, weight_decay: float = 0.01, beta1: float = 0.9, beta2: float = 0.999,
               epsilon: float = 1e-6) {
  state m = zeros_like(w)
  state v = zeros_like(w)
  update m = faded(beta1 * m + (1 - beta1) * g)
  update v = faded(beta2 * v + (1 - beta2) * square(g))
  direction = adam_direction(m, v, step, beta1, beta2, epsilon) + weight_decay * w
  size = sqrt(sum(square(w)))
  length = sqrt(sum(square(direction)))
  ratio = where(size > 0 && length > 0, size / where(length > 0, length, 1), 1)
  w - lr * ratio * direction
}

/// Steps of one size, by the sign of a mean of gradients (Chen and others, 2023).
optimizer lion(w, g, lr: float = 1e-4, beta1: float = 0.9, beta2: float = 0.99, weight_decay: float = 0) {
  state m = zeros_like(w)
  direction = sign(beta1 * m + (1 - beta1) * g)
  update m = faded(beta2 * m + (1 - beta2) * g)
  w - lr * (direction + weight_decay * w)
}

/// Another optimizer, after whose steps each column of a kernel is scaled down to a length of at most `limit` (Srivastava and others,
/// 2014, section 5.1): `max_norm(adam(lr: 1e-3), limit: 3)`. Biases and scales are left alone.
optimizer max_norm(w, g, inner: fn, limit: float = 3) {
  next = inner(w, g)
  if rank(w) >= 2 {
    lengths = sqrt(sum(square(next), axis: range(rank(w) - 1), keepdims: true))
    next = next * (limit / maximum(lengths, limit))
  }
  next
}

/// Another optimizer, after whose steps all kernels are cut at 0 from below: `non_negative(sgd(0.1))`.
optimizer non_negative(w, g, inner: fn) {
  next = inner(w, g)
  if rank(w) >= 2 {
    next = maximum(next, 0)
  }
  next
}

/// The root of the sum of squares of all elements of all tensors.
block global_norm(tensors) -> f32[] {
  total = zeros([])
  for x in tensors {
    total = total + sum(square(x))
  }
  sqrt(total)
}

/// `clip: global_norm(limit)`: scales all gradients down together so that their common norm is at most `limit`.
block clip_global_norm(gradients, limit: float) {
  scale = limit / maximum(global_norm(gradients), limit)
  clipped = []
  for g in gradients {
    clipped = append(clipped, g * scale)
  }
  clipped
}

/// `clip: value(limit)`: brings each element of each gradient into ±limit.
block clip_value(gradients, limit: float) {
  clipped = []
  for g in gradients {
    clipped = append(clipped, clip(g, -limit, limit))
  }
  clipped
}

/// `ema: decay`: a running mean of a parameter, from its value before the step and that after it. In the first steps it forgets faster,
/// min(decay, (1 + step) / (10 + step)), so that it does not stay where the training began.
block ema(w, next, step, decay: float) {
  state average = w
  kept = minimum(decay, (1 + step) / (10 + step))
  update average = kept * average + (1 - kept) * next
  average
}
