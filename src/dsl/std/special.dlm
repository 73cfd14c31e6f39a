/// Special functions: the gamma function's logarithm and its derivative, and the inverse of the error function.

/// log |Γ(x)|, which for whole x is log (x - 1)!. Stirling's series at 7 places above x, reflected for x below 1/2 (Abramowitz and Stegun
/// 6.1.41, 6.1.15, 6.1.17). In float32 it is wrong by at most a few 1e-6.
block lgamma(x: f32[...S]) {
  low = x < 0.5
  u = where(low, 1 - x, x)
  small = u < 8
  z = where(small, u + 7, u)
  product = where(small, u, 1)
  for i in 1..7 {
    product = product * where(small, u + i, 1)
  }
  inverse = 1 / z
  series = inverse * (1 / 12 - square(inverse) * (1 / 360 - square(inverse) / 1260))
  above = (z - 0.5) * log(z) - z + 0.5 * log(2 * pi) + series - log(product)
  turned = where(low, abs(sin(pi * (x - round(x)))), 1)
  where(low, log(pi) - log(turned) - above, above)
}

/// The derivative of lgamma: its asymptotic series at 7 places above x, reflected for x below 1/2 (Abramowitz and Stegun
/// 6.3.18, 6.3.5, 6.3.7).
block digamma(x: f32[...S]) {
  low = x < 0.5
  u = where(low, 1 - x, x)
  small = u < 8
  z = where(small, u + 7, u)
  below = zeros_like(u)
  for i in 0..7 {
    below = below + where(small, 1 / (u + i), 0)
  }
  inverse = 1 / z
  s = square(inverse)
  above = log(z) - 0.5 * inverse - s * (1 / 12 - s * (1 / 120 - s / 252)) - below
  turned = where(low, tan(pi * (x - round(x))), 1)
  where(low, above - pi / turned, above)
}

/// The number whose error function is x, for -1 < x < 1: the polynomials of Giles (2010), and near 0 a step of Newton's method. In
/// float32 it is wrong by at most 4e-7 (relative).
block erfinv(x: f32[...S]) {
  w = -log((1 - x) * (1 + x))
  tail = w >= 5
  near = where(tail, 0, w) - 2.5
  far = sqrt(where(tail, w, 5)) - 3
  p = 2.81022636e-08
  for c in [3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164, 0.246640727,
            1.50140941] {
    p = p * near + c
  }
  q = -0.000200214257
  for c in [0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047, 1.00167406,
            2.83297682] {
    q = q * far + c
  }
  y = where(tail, q, p) * x
  // Where erf is flat, rounding would spoil the step; its derivative is right everywhere.
  step = (x - erf(y)) * (0.5 * sqrt(pi)) * exp(square(y))
  better = y + where(abs(x) < 0.9, step, step - stop_gradient(step))
  where(abs(x) == 1, sign(x) * inf, better)
}

/// The integral of the normal distribution up to x: (1 + erf(x / √2)) / 2.
block normal_cdf(x: f32[...S]) = 0.5 * (1 + erf(x * sqrt(0.5)))
