/// Layers. Images have the axes [batch, height, width, channels]; kernels of convolutions [height, width, in, out].

/// y = x·W + b over the last axis: every output is a weighted sum of all inputs.
block dense(x: f32[...B, D], units: int, bias: bool = true, kernel_init: initializer = glorot_uniform) -> f32[...B, units] {
  param kernel: f32[D, units] ~ kernel_init
  y = x @ kernel
  if bias {
    param bias: f32[units] ~ zeros
    y = y + bias
  }
  y
}

/// Slides `filters` small kernels over an image; each gives one channel of the result. `padding` is "valid" (none),
/// "same" (the size stays, divided by the stride) or a number of zeros on every side. With `groups`, each
/// group of output channels sees its own group of input channels only.
block conv2d(x: f32[N, H, W, C], filters: int, kernel: int[2], stride: int[2] = 1, padding = "valid", dilation: int[2] = 1,
             groups: int = 1, bias: bool = true, kernel_init: initializer = glorot_uniform) {
  assert C % groups == 0 && filters % groups == 0, "C = {C} and filters = {filters} must divide by groups = {groups}"
  height, width = kernel
  param kernel: f32[height, width, C / groups, filters] ~ kernel_init
  y = convolution(x, kernel, stride: stride, padding: padding, dilation: dilation, groups: groups)
  if bias {
    param bias: f32[filters] ~ zeros
    y = y + bias
  }
  y
}

/// A convolution that treats each channel by itself, with `multiplier` kernels for each.
block depthwise_conv2d(x: f32[N, H, W, C], kernel: int[2], multiplier: int = 1, stride: int[2] = 1, padding = "valid",
                       dilation: int[2] = 1, bias: bool = true, kernel_init: initializer = glorot_uniform) {
  height, width = kernel
  param kernel: f32[height, width, 1, C * multiplier] ~ kernel_init
  y = convolution(x, kernel, stride: stride, padding: padding, dilation: dilation, groups: C)
  if bias {
    param bias: f32[C * multiplier] ~ zeros
    y = y + bias
  }
  y
}

/// All axes but the first become one.
block flatten(x: T[N, ...S]) -> T[N, prod(S)] = reshape(x, [N, prod(S)])

/// While training, sets a share `rate` of the elements to 0 and scales the others up, so that the mean stays; else gives `x`
/// as it is (Srivastava and others, 2014).
block dropout(x: f32[...S], rate: float) -> f32[...S] {
  assert rate >= 0 && rate < 1, "rate = {rate} must be from 0 to below 1"
  if training && rate > 0 {
    x = where(random_uniform(shape(x)) < rate, 0, x / (1 - rate))
  }
  x
}

/// Brings each feature (last axis) to mean 0 and deviation 1, by the mean and variance of all rows seen in training so far.
/// Batches are merged exactly (Chan and others, 1979); no gradient flows through the statistics.
block normalize(x: f32[...B, D]) -> f32[...B, D] {
  state count: f32[] = 0
  state mean: f32[D] = 0
  state distance: f32[D] = 0                                  // Σ (x - mean)²
  if training {
    rows = reshape(stop_gradient(x), [prod(B), D])
    n = cast(prod(B), f32)
    here = sum(rows, axis: 0) / n
    total = count + n
    away = here - mean
    update distance = distance + sum(square(rows - here), axis: 0) + square(away) * (count * n / total)
    update mean = mean + away * (n / total)
    update count = total
  }
  variance = distance / maximum(count, 1)
  (x - mean) / sqrt(where(variance > 0, variance, 1))         // a feature that never varies is left at 0
}

/// While training, brings each channel (last axis) to mean 0 and variance 1 over the batch, and keeps running means of both,
/// which stand in for them otherwise; then scales and shifts (Ioffe and Szegedy, 2015). The running variance is that of the
/// population, as a batch of n shows it: n / (n - 1) times the batch's own.
block batch_norm(x: f32[...B, C], momentum: float = 0.99, epsilon: float = 1e-3) -> f32[...B, C] {
  param scale: f32[C] ~ ones
  param shift: f32[C] ~ zeros
  state mean: f32[C] = 0
  state variance: f32[C] = 1
  middle = mean
  spread = variance
  if training {
    axes = range(len(B))
    middle = average(x, axes)
    spread = average(square(x - middle), axes)
    update mean = momentum * mean + (1 - momentum) * stop_gradient(middle)
    n = cast(prod(B), f32)
    update variance = momentum * variance + (1 - momentum) * stop_gradient(spread) * n / maximum(n - 1, 1)
  }
  (x - middle) * (scale / sqrt(spread + epsilon)) + shift
}

/// Brings the last axis of each row to mean 0 and variance 1, then scales and shifts (Ba and others, 2016).
block layer_norm(x: f32[...B, D], epsilon: float = 1e-5) -> f32[...B, D] {
  param scale: f32[D] ~ ones
  param shift: f32[D] ~ zeros
  middle = mean(x, axis: -1, keepdims: true)
  spread = mean(square(x - middle), axis: -1, keepdims: true)
  (x - middle) / sqrt(spread + epsilon) * scale + shift
}

/// A vector of `width` numbers for each of `count` symbols: row i of a table for the symbol i.
block embedding(x: i32[...B], count: int, width: int, init: initializer = uniform(-0.05, 0.05)) -> f32[...B, width] {
  param table: f32[count, width] ~ init
  take(table, x)
}

/// The mean over some axes, under a name that no state takes.
block average(x: f32[...S], axes: int[]) = mean(x, axis: axes)
