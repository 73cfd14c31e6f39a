/// Random numbers, and the initial values of parameters. An initializer's first parameter is the shape, which the
/// parameter that it is for supplies: `param kernel: f32[D, units] ~ normal(0, 0.02)`.

/// Numbers spread evenly over low … high (high excluded): the upper 24 of 32 random bits, as many as a float holds.
block random_uniform(shape: int[], low: float = 0, high: float = 1) {
  unit = cast(shift_right_logical(random_bits(shape), 8), f32) * 2 ** -24
  if low == 0 && high == 1 {
    unit
  } else {
    low + (high - low) * unit
  }
}

/// Numbers from the normal distribution, by the method of Box and Muller (1958).
block random_normal(shape: int[], mean: float = 0, deviation: float = 1) {
  radius = sqrt(-2 * log(1 - random_uniform(shape)))      // 1 - u lies in (0, 1], where the logarithm is finite
  z = radius * cos(2 * pi * random_uniform(shape))
  if mean == 0 && deviation == 1 {
    z
  } else {
    mean + deviation * z
  }
}

/// How many numbers flow into one output: for kernels [in, out] and [height, width, in, out], all axes but the last.
block fan_in(shape: int[]) {
  if len(shape) < 2 {
    prod(shape)
  } else {
    prod(shape[:-1])
  }
}

/// How many outputs one number flows into: all axes but the last but one.
block fan_out(shape: int[]) {
  if len(shape) < 2 {
    prod(shape)
  } else {
    prod(shape[:-2]) * shape[-1]
  }
}

/// The same number everywhere.
initializer constant(shape: int[], value: float) = full(shape, value)

/// Evenly spread over low … high.
initializer uniform(shape: int[], low: float = -0.05, high: float = 0.05) = random_uniform(shape, low, high)

/// From the normal distribution.
initializer normal(shape: int[], mean: float = 0, deviation: float = 0.05) = random_normal(shape, mean, deviation)

/// Even in ±sqrt(6 / (fan_in + fan_out)): keeps the variance of signals and gradients (Glorot and Bengio, 2010).
initializer glorot_uniform(shape: int[]) {
  limit = sqrt(6 / (fan_in(shape) + fan_out(shape)))
  random_uniform(shape, -limit, limit)
}

/// Normal with variance 2 / (fan_in + fan_out).
initializer glorot_normal(shape: int[]) = random_normal(shape, 0, sqrt(2 / (fan_in(shape) + fan_out(shape))))

/// Even in ±sqrt(6 / fan_in): for layers before a rectifier, which halves the variance (He and others, 2015).
initializer he_uniform(shape: int[]) {
  limit = sqrt(6 / fan_in(shape))
  random_uniform(shape, -limit, limit)
}

/// Normal with variance 2 / fan_in.
initializer he_normal(shape: int[]) = random_normal(shape, 0, sqrt(2 / fan_in(shape)))

/// Even in ±sqrt(3 / fan_in) (LeCun and others, 1998).
initializer lecun_uniform(shape: int[]) {
  limit = sqrt(3 / fan_in(shape))
  random_uniform(shape, -limit, limit)
}

/// Normal with variance 1 / fan_in.
initializer lecun_normal(shape: int[]) = random_normal(shape, 0, sqrt(1 / fan_in(shape)))

/// A matrix whose rows, or columns where there are more of those, are orthogonal and of length 1 (Saxe and others,
/// 2013). All axes but the last count as rows. It is the orthogonal polar factor U·Vᵀ of a random normal matrix
/// U·Σ·Vᵀ, which is spread evenly over all such matrices. Newton's iteration X ← 1.5 X - 0.5 X·Xᵀ·X drives every
/// singular value in (0, √3) to 1, by a factor of 1.5 a step while it is small; dividing by the Frobenius norm brings
/// them below 1 first.
initializer orthogonal(shape: int[], gain: float = 1) {
  rows = prod(shape[:-1])
  columns = shape[-1]
  x = random_normal([rows, columns])
  if rows > columns {
    x = transpose(x)
  }
  x = x / sqrt(sum(square(x)))
  repeat 40 {
    x = 1.5 * x - 0.5 * (x @ transpose(x)) @ x
  }
  if rows > columns {
    x = transpose(x)
  }
  gain * reshape(x, shape)
}
