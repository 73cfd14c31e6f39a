/// A straight line through eight points, one of which is far off. The loss decides how much that one point counts.
model Line(x: f32[N]) -> (y: f32[N]) {
  param slope: f32[] ~ zeros
  param height: f32[] ~ zeros
  y = slope * x + height
}

/// The points lie on y = 2x - 1, but for the last.
train Line {
  target truth: f32[N]
  data: rows(x: [0, 1, 2, 3, 4, 5, 6, 7], truth: [-1, 1, 3, 5, 7, 9, 11, -20])
  loss: huber(y, truth, delta: 0.1)
  optimizer: adam(lr: cosine_decay(0.1, steps: 600))
  metrics: mean_squared_error(y, truth), mean_absolute_error(y, truth)
  epochs: 600
  batch: 8
  seed: 0
}
