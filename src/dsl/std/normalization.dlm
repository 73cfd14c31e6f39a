/// Further normalisation: by rows, by groups of channels, and by channels of a single image.

/// Divides each row by the root of its mean square, then scales: as good as layer_norm, and cheaper (Zhang and Sennrich, 2019).
block rms_norm(x: f32[...B, D], epsilon: float = 1e-6) -> f32[...B, D] {
  param scale: f32[D] ~ ones
  x / sqrt(mean(square(x), axis: -1, keepdims: true) + epsilon) * scale
}

/// Each group of channels of each image is brought to mean 0 and variance 1, then each channel scaled and shifted. It does not
/// depend on the batch (Wu and He, 2018).
block group_norm(x: f32[N, ...S, C], groups: int, epsilon: float = 1e-5) -> f32[N, ...S, C] {
  assert C % groups == 0, "C = {C} must divide by groups = {groups}"
  param scale: f32[C] ~ ones
  param shift: f32[C] ~ zeros
  reshape(standardized(reshape(x, [N, prod(S), groups, C / groups]), [1, 3], epsilon), shape(x)) * scale + shift
}

/// Each channel of each image is brought to mean 0 and variance 1, then scaled and shifted (Ulyanov and others, 2016).
block instance_norm(x: f32[N, ...S, C], epsilon: float = 1e-5) -> f32[N, ...S, C] {
  param scale: f32[C] ~ ones
  param shift: f32[C] ~ zeros
  reshape(standardized(reshape(x, [N, prod(S), C]), [1], epsilon), shape(x)) * scale + shift
}

/// Mean 0 and variance 1 over some axes together.
block standardized(x: f32[...S], axes: int[], epsilon: float = 1e-5) -> f32[...S] {
  away = x - mean(x, axis: axes, keepdims: true)
  away / sqrt(mean(square(away), axis: axes, keepdims: true) + epsilon)
}

/// Each row divided by its length, so that it has length 1; rows shorter than `epsilon` are divided by that.
block unit_length(x: f32[...B, D], epsilon: float = 1e-12) -> f32[...B, D]
  = x / sqrt(maximum(sum(square(x), axis: -1, keepdims: true), epsilon * epsilon))
