/// Activations: functions of each element, and the two that turn scores into probabilities.

/// x², the square of each element.
block square(x: f32[...S]) = x * x

/// max(x, 0): what is negative is cut off.
block relu(x: f32[...S]) = maximum(x, 0)

/// min(max(x, 0), 6), the rectifier of networks for small machines.
block relu6(x: f32[...S]) = clip(x, 0, 6)

/// x where it is positive, slope · x where it is negative.
block leaky_relu(x: f32[...S], slope: float = 0.01) = where(x < 0, slope * x, x)

/// x where it is positive, alpha · (eˣ - 1) where it is negative: smooth, and no less than -alpha.
block elu(x: f32[...S], alpha: float = 1) = where(x < 0, alpha * expm1(minimum(x, 0)), x)

/// x · Φ(x), where Φ is the distribution function of the normal distribution (Hendrycks and Gimpel, 2016).
/// `approximate` takes the tanh formula of the paper instead of the error function.
block gelu(x: f32[...S], approximate: bool = false) {
  if approximate {
    0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x)))
  } else {
    0.5 * x * (1 + erf(x * sqrt(0.5)))
  }
}

/// 1 / (1 + e⁻ˣ), the logistic function, between 0 and 1.
block sigmoid(x: f32[...S]) = logistic(x)

/// x · sigmoid(x), also called swish.
block silu(x: f32[...S]) = x * sigmoid(x)

/// log(1 + eˣ), a smooth rectifier, written so that the exponential never overflows.
block softplus(x: f32[...S]) = where(x < 0, 0, x) + log1p(exp(where(x < 0, x, -x)))

/// eˣ / Σ eˣ along `axis`: positive numbers that add up to 1. The greatest element is taken off first, which
/// changes nothing but keeps the exponentials small.
block softmax(x: f32[...S], axis: int = -1) {
  e = exp(x - stop_gradient(max(x, axis: axis, keepdims: true)))
  e / sum(e, axis: axis, keepdims: true)
}

/// log(softmax(x)), more exactly than by taking the logarithm afterwards.
block log_softmax(x: f32[...S], axis: int = -1) {
  shifted = x - stop_gradient(max(x, axis: axis, keepdims: true))
  shifted - log(sum(exp(shifted), axis: axis, keepdims: true))
}

/// log(Σ eˣ) along `axis`, which vanishes: a smooth maximum, written so that the exponentials never overflow.
block logsumexp(x: f32[...S], axis: int = -1) {
  highest = stop_gradient(max(x, axis: axis, keepdims: true))
  squeeze(highest, axis: axis) + log(sum(exp(x - highest), axis: axis))
}
