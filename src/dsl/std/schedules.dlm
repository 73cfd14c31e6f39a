/// Schedules: the learning rate as a function of the step, which is the number of updates done before. A `train` block
/// supplies the step: `adam(lr: cosine_decay(1e-3, steps: 2000, warmup: 100))`. During `warmup` steps the rate
/// rises evenly to its first value. After its end a schedule holds its last value.

/// 1/warmup, 2/warmup, … 1, and 1 from then on.
block warm_up(step, warmup: int) {
  if warmup > 0 {
    minimum((step + 1) / warmup, 1)
  } else {
    1
  }
}

/// The same rate throughout.
schedule constant_rate(step, lr: float, warmup: int = 0) = lr * warm_up(step, warmup) + 0 * step

/// lr · rate^⌊step / steps⌋: drops by `rate` every `steps` steps.
schedule step_decay(step, lr: float, rate: float = 0.1, steps: int, warmup: int = 0)
  = lr * rate ** floor(step / steps) * warm_up(step, warmup)

/// lr · rate^(step / steps): drops by `rate` over `steps` steps, evenly.
schedule exponential_decay(step, lr: float, rate: float, steps: int, warmup: int = 0)
  = lr * rate ** (step / steps) * warm_up(step, warmup)

/// From lr down to `end` along half a cosine, in `steps` steps with the warm-up among them (Loshchilov and Hutter, 2016).
schedule cosine_decay(step, lr: float, steps: int, warmup: int = 0, end: float = 0) {
  assert steps > warmup, "steps = {steps} must exceed warmup = {warmup}"
  progress = clip((step - warmup) / (steps - warmup), 0, 1)
  (end + (lr - end) * 0.5 * (1 + cos(pi * progress))) * warm_up(step, warmup)
}
