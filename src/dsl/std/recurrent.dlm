/// Recurrent layers: sequences have the axes [batch, time, features]. What does not depend on the step before is computed for all
/// steps at once, steps first, so that the rows of a step lie together. With `last`, the value is the state after the last step, else the
/// states of all. `reversed` begins at the end.
/// Of a `mask`, bool[N, T], steps that are false leave the state as it is, and give 0: so sequences of unequal length share a batch.

/// h = tanh(x·W + h·U + b): the plain recurrent network (Elman, 1990).
block simple_rnn(x: f32[N, T, D], units: int, activation: fn = tanh, last: bool = false, reversed: bool = false, mask = none,
                 bias: bool = true, kernel_init: initializer = glorot_uniform, recurrent_init: initializer = orthogonal) {
  param kernel: f32[D, units] ~ kernel_init
  param recurrent_kernel: f32[units, units] ~ recurrent_init
  xw = transpose(x, [1, 0, 2]) @ kernel
  if bias {
    param bias: f32[units] ~ zeros
    xw = xw + bias
  }
  h = zeros([N, units])
  keep = steps_to_keep(xw, mask)
  if reversed {
    ys = scan g, k in xw, keep along 0 reversed carry h {
      h = kept(activation(g + h @ recurrent_kernel), h, k, mask)
      yield shown(h, k, mask)
    }
    last_or_all(h, ys, last)
  } else {
    ys = scan g, k in xw, keep along 0 carry h {
      h = kept(activation(g + h @ recurrent_kernel), h, k, mask)
      yield shown(h, k, mask)
    }
    last_or_all(h, ys, last)
  }
}

/// The gated recurrent unit (Cho and others, 2014), with the reset gate after the recurrent product, as in cuDNN. Gates in
/// `kernel`: update, reset, candidate.
block gru(x: f32[N, T, D], units: int, last: bool = false, reversed: bool = false, mask = none, bias: bool = true,
          kernel_init: initializer = glorot_uniform, recurrent_init: initializer = orthogonal) {
  param kernel: f32[D, 3 * units] ~ kernel_init
  param recurrent_kernel: f32[units, 3 * units] ~ recurrent_init
  xw = transpose(x, [1, 0, 2]) @ kernel
  b = 0
  if bias {
    param bias: f32[3 * units] ~ zeros
    param recurrent_bias: f32[3 * units] ~ zeros
    xw = xw + bias
    b = recurrent_bias
  }
  h = zeros([N, units])
  keep = steps_to_keep(xw, mask)
  if reversed {
    ys = scan g, k in xw, keep along 0 reversed carry h {
      h = kept(gru_step(g, h @ recurrent_kernel + b, h), h, k, mask)
      yield shown(h, k, mask)
    }
    last_or_all(h, ys, last)
  } else {
    ys = scan g, k in xw, keep along 0 carry h {
      h = kept(gru_step(g, h @ recurrent_kernel + b, h), h, k, mask)
      yield shown(h, k, mask)
    }
    last_or_all(h, ys, last)
  }
}

/// One step of a gated recurrent unit: the state after it, from what the input and the state give to the three gates.
block gru_step(g: f32[N, G], r: f32[N, G], h: f32[N, H]) -> f32[N, H] {
  gz, gr, gn = split(g, 3, axis: -1)
  rz, rr, rn = split(r, 3, axis: -1)
  z = sigmoid(gz + rz)
  candidate = tanh(gn + sigmoid(gr + rr) * rn)
  z * h + (1 - z) * candidate
}

/// Long short-term memory (Hochreiter and Schmidhuber, 1997, with the forget gate of Gers and others, 2000). Gates in `kernel`:
/// input, forget, candidate, output.
block lstm(x: f32[N, T, D], units: int, last: bool = false, reversed: bool = false, mask = none, bias: bool = true,
           kernel_init: initializer = glorot_uniform, recurrent_init: initializer = orthogonal) {
  param kernel: f32[D, 4 * units] ~ kernel_init
  param recurrent_kernel: f32[units, 4 * units] ~ recurrent_init
  xw = transpose(x, [1, 0, 2]) @ kernel
  if bias {
    param bias: f32[4 * units] ~ zeros
    xw = xw + bias
  }
  h = zeros([N, units])
  c = zeros([N, units])
  keep = steps_to_keep(xw, mask)
  if reversed {
    ys = scan g, k in xw, keep along 0 reversed carry h, c {
      next_h, next_c = lstm_step(g + h @ recurrent_kernel, c)
      c = kept(next_c, c, k, mask)
      h = kept(next_h, h, k, mask)
      yield shown(h, k, mask)
    }
    last_or_all(h, ys, last)
  } else {
    ys = scan g, k in xw, keep along 0 carry h, c {
      next_h, next_c = lstm_step(g + h @ recurrent_kernel, c)
      c = kept(next_c, c, k, mask)
      h = kept(next_h, h, k, mask)
      yield shown(h, k, mask)
    }
    last_or_all(h, ys, last)
  }
}

/// One step of long short-term memory: the state and the cell after it, from the sum that enters the four gates.
block lstm_step(gates: f32[N, G], c: f32[N, H]) {
  i, f, z, o = split(gates, 4, axis: -1)
  c = sigmoid(f) * c + sigmoid(i) * tanh(z)
  (sigmoid(o) * tanh(c), c)
}

/// A recurrent layer in both directions, their states side by side: `x |> bidirectional(lstm, 64)`.
block bidirectional(x: f32[N, T, D], layer: fn, units: int, last: bool = false, mask = none) {
  onwards = x |> layer(units, last: last, mask: mask) as forward
  back = x |> layer(units, last: last, mask: mask, reversed: true) as backward
  concatenate([onwards, back], axis: -1)
}

/// What a scan walks beside its gates: the mask; without one, the gates once more, which nothing then reads.
block steps_to_keep(xw: f32[T, N, G], mask) {
  steps = xw
  if mask != none {
    steps = expand_dims(transpose(mask, [1, 0]), -1)
  }
  steps
}

/// The state after a step; as it was before where the mask leaves the step out.
block kept(next: f32[N, H], before: f32[N, H], keep, mask) {
  if mask != none {
    next = where(keep, next, before)
  }
  next
}

/// The state as it is shown; 0 where the mask leaves the step out.
block shown(h: f32[N, H], keep, mask) {
  if mask != none {
    h = where(keep, h, 0)
  }
  h
}

/// What a layer gives: the memory after the last step, or what it said at every step.
/// The state `h` after the last step, or those after all of them, which come with the steps first.
block last_or_all(h: f32[N, H], all: f32[T, N, H], last: bool) {
  if last {
    h
  } else {
    transpose(all, [1, 0, 2])
  }
}
