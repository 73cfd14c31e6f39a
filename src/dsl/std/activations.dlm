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

/// elu of x / alpha, times alpha, so that the slope at 0 is 1 for every alpha (Barron, 2017).
block celu(x: f32[...S], alpha: float = 1) = alpha * elu(x / alpha)

/// elu, scaled so that deep networks keep mean 0 and variance 1 by themselves (Klambauer and others, 2017). Give the layers
/// before it `kernel_init: lecun_normal`.
block selu(x: f32[...S]) = 1.0507009873554805 * elu(x, alpha: 1.6732632423543772)

/// x where it is positive, elsewhere a slope that is learned, one for each channel (last axis) (He and others, 2015).
block prelu(x: f32[...B, C], init: float = 0.25) -> f32[...B, C] {
  param slope: f32[C] ~ constant(init)
  where(x > 0, x, slope * x)
}

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

/// Half of the channels (axis `axis`), each let through as far as sigmoid of its fellow in the other half says (Dauphin and
/// others, 2016).
block glu(x: f32[...S], axis: int = -1) {
  value, gate = split(x, 2, axis: axis)
  value * sigmoid(gate)
}

/// log(1 + eˣ), a smooth rectifier, written so that the exponential never overflows.
block softplus(x: f32[...S]) = where(x < 0, 0, x) + log1p(exp(where(x < 0, x, -x)))

/// log(sigmoid(x)), which stays finite where sigmoid has long become 0.
block log_sigmoid(x: f32[...S]) = -softplus(-x)

/// x · tanh(softplus(x)), a smooth rectifier that dips a little below 0 (Misra, 2019).
block mish(x: f32[...S]) = x * tanh(softplus(x))

/// x / (1 + |x|): like tanh, but it nears ±1 slowly.
block softsign(x: f32[...S]) = x / (1 + abs(x))

/// x, held between -1 and 1: tanh of straight lines.
block hard_tanh(x: f32[...S]) = clip(x, -1, 1)

/// x / 6 + 1/2, held between 0 and 1: sigmoid of straight lines.
block hard_sigmoid(x: f32[...S]) = clip(x / 6 + 0.5, 0, 1)

/// x · hard_sigmoid(x): silu of straight lines and a parabola (Howard and others, 2019).
block hard_silu(x: f32[...S]) = x * hard_sigmoid(x)

/// 0 where |x| is at most `edge`, elsewhere x.
block hard_shrink(x: f32[...S], edge: float = 0.5) = where(abs(x) > edge, x, 0)

/// What of x is beyond ±`edge`, and 0 between.
block soft_shrink(x: f32[...S], edge: float = 0.5) = x - clip(x, -edge, edge)

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
