/// Going down a curved valley (Rosenbrock's function), whose lowest point is 0 at (1, 1). What an optimizer does is written out.

/// Momentum: the step is an average of the gradients so far, so that it keeps going along the valley instead of across.
optimizer downhill(w, g, lr: float = 1e-3, momentum: float = 0.9) {
  state velocity = zeros_like(w)
  update velocity = momentum * velocity - lr * g
  w + velocity
}

model Valley(start: f32[N]) -> (height: f32[N]) {
  param x: f32[] ~ constant(-1.5)
  param y: f32[] ~ constant(2)
  height = start + square(1 - x) + 100 * square(y - square(x))
}

train Valley {
  data: rows(start: [0])
  loss: mean(height)
  optimizer: downhill(lr: 5e-4)
  epochs: 3000
  batch: 1
  seed: 0
}
