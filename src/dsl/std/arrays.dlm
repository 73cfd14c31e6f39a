/// What NumPy calls by a name and the primitives do in a few steps.

/// The elements moved on by `shift` places along `axis`; what falls off the end comes in at the beginning.
block roll(x: T[...S], shift: int, axis: int = -1) {
  y = swapaxes(x, 0, axis)
  swapaxes(concatenate([y[-shift:], y[:-shift]]), 0, axis)
}

/// `times` copies of `x`, one after another along `axis`: [a, b] becomes [a, b, a, b].
block tile(x: T[...S], times: int, axis: int = -1) {
  y = swapaxes(x, 0, axis)
  sizes = shape(y)
  copies = broadcast_to(y, [times] + sizes)
  swapaxes(reshape(copies, [times * sizes[0]] + sizes[1:]), 0, axis)
}

/// The sum of each element and all before it along `axis`.
block cumsum(x: f32[...S], axis: int = -1) {
  y = swapaxes(x, 0, axis)
  total = zeros(shape(y)[1:])
  sums = scan now in y along 0 carry total {
    total = total + now
    yield total
  }
  swapaxes(sums, 0, axis)
}
