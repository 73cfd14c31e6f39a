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

/// From lr down to `end` as (1 - progress)^power, over `steps` steps.
schedule polynomial_decay(step, lr: float, steps: int, power: float = 1, end: float = 0, warmup: int = 0) {
  assert steps > warmup, "steps = {steps} must exceed warmup = {warmup}"
  left = 1 - clip((step - warmup) / (steps - warmup), 0, 1)
  (end + (lr - end) * left ** power) * warm_up(step, warmup)
}

/// Up from lr / start to lr in the first `rise` share of the steps, and down to lr / start / end in the others, along half cosines
/// (Smith and Topin, 2017).
schedule one_cycle(step, lr: float, steps: int, rise: float = 0.3, start: float = 25, end: float = 1e4) {
  top = rise * steps - 1
  up = clip(step / top, 0, 1)
  down = clip((step - top) / (steps - 1 - top), 0, 1)
  low = lr / start
  where(step < top, low + (lr - low) * 0.5 * (1 - cos(pi * up)),
        low / end + (lr - low / end) * 0.5 * (1 + cos(pi * down)))
}

/// Half cosines from lr down to `end`, again and again: the first takes `steps` steps, each later one `factor` times as many
/// (Loshchilov and Hutter, 2016).
schedule warm_restarts(step, lr: float, steps: int, factor: int = 1, end: float = 0) {
  progress = step / steps - floor(step / steps)
  if factor > 1 {
    // Run i begins at steps · (factorⁱ - 1) / (factor - 1).
    run = floor(log(step * (factor - 1) / steps + 1) / log(factor) + 1e-5)
    length = round(steps * factor ** run)
    progress = (step - round(steps * (factor ** run - 1) / (factor - 1))) / length
  }
  end + (lr - end) * 0.5 * (1 + cos(pi * clip(progress, 0, 1)))
}

/// lr at first; `factor` times as much where `watched` has not become better for more than `patience` epochs, again and again, but
/// not less than `end`: `adam(lr: reduce_on_plateau(1e-3, val_loss, patience: 2))`. Better is less, or with `greatest` more, by
/// a share of `threshold` at least. The optimizer of a `train` block knows the loss and all metrics of the epoch before by their names.
schedule reduce_on_plateau(step, epoch, lr: float, watched: f32[], factor: float = 0.1, patience: int = 10,
                           threshold: float = 1e-4, greatest: bool = false, end: float = 0) {
  sign = 1
  if greatest {
    sign = -1
  }
  state counted: f32[] = 0                                     // epochs that were looked at
  state best: f32[] = sign * inf
  state waited: f32[] = 0
  state scale: f32[] = 1
  fresh = epoch > counted
  better = sign * watched < sign * best * (1 - sign * threshold)
  waiting = where(better, 0.0, waited + 1)
  tired = fresh && waiting > patience
  update counted = epoch
  update best = where(fresh && better, watched, best)
  update waited = where(fresh, where(tired, 0.0, waiting), waited)
  update scale = where(tired, factor * scale, scale)
  maximum(lr * scale, end) + 0 * step
}
