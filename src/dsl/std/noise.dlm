/// Noise that keeps a network from learning its data by heart. All of it is there while training only.

/// Adds normally distributed noise of the given standard deviation.
block gaussian_noise(x: f32[...S], deviation: float) -> f32[...S] {
  if training {
    x = x + deviation * random_normal(shape(x))
  }
  x
}

/// Dropout of whole channels (last axis): neighbours in an image or a sequence tell so much of each other that single
/// elements are hardly missed (Tompson and others, 2015).
block spatial_dropout(x: f32[N, ...S, C], rate: float) -> f32[N, ...S, C] {
  keep = dropout(ones([N, C]), rate)
  for i in 0..len(S) {
    keep = expand_dims(keep, 1)
  }
  x * keep
}

/// Dropout of whole rows of the batch. Around a block with a shortcut, `x + drop_path(block(x), 0.1)`, it leaves the block out now
/// and then (stochastic depth; Huang and others, 2016).
block drop_path(x: f32[N, ...S], rate: float) -> f32[N, ...S] {
  keep = dropout(ones([N]), rate)
  for i in 0..len(S) {
    keep = expand_dims(keep, 1)
  }
  x * keep
}
