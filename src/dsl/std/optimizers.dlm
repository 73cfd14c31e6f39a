/// Optimizers: from a parameter `w` and the gradient `g` of the loss to the new parameter. Called once for each parameter.
/// `step` is the number of updates done before, 0 at first; `lr` may be a schedule.

/// Down the gradient; with `momentum`, along a running sum of gradients. `nesterov` looks one step ahead.
optimizer sgd(w, g, lr: float = 0.01, momentum: float = 0, nesterov: bool = false) {
  if momentum == 0 {
    w - lr * g
  } else {
    state v = zeros_like(w)
    update v = momentum * v - lr * g
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
  update v = rho * v + (1 - rho) * square(g)
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
  update m = beta1 * m + (1 - beta1) * g
  update v = beta2 * v + (1 - beta2) * square(g)
  w - lr * adam_direction(m, v, step, beta1, beta2, epsilon)
}

/// Adam with weight decay beside the gradient: every parameter also shrinks by lr · weight_decay (Loshchilov and Hutter, 2017).
optimizer adamw(w, g, step, lr: float = 1e-3, weight_decay: float = 0.01, beta1: float = 0.9, beta2: float = 0.999,
                epsilon: float = 1e-7) {
  state m = zeros_like(w)
  state v = zeros_like(w)
  update m = beta1 * m + (1 - beta1) * g
  update v = beta2 * v + (1 - beta2) * square(g)
  w * (1 - lr * weight_decay) - lr * adam_direction(m, v, step, beta1, beta2, epsilon)
}

/// Steps are divided by the root of the sum of all squared gradients so far, which begins at `initial` (Duchi and others, 2011).
optimizer adagrad(w, g, lr: float = 1e-3, initial: float = 0.1, epsilon: float = 1e-7) {
  state v = zeros_like(w) + initial
  update v = v + square(g)
  w - lr * g / (sqrt(v) + epsilon)
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
