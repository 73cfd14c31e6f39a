/// Images in other sizes, and seen through other windows. Images have the axes [batch, height, width, channels].

/// The elements of an axis that lie nearest to `size` evenly spread places.
block nearest_along(x: f32[...S], size: int, axis: int)
  = take(x, floor_divide((arange(size, dtype: i32) * 2 + 1) * S[axis], 2 * size), axis: axis)

/// Between neighbours along an axis, for `size` evenly spread places. Elements are taken for cells with their value in the
/// middle; with `align_corners` they are points, and the outer ones stay where they are.
block linear_along(x: f32[...S], size: int, axis: int, align_corners: bool = false) {
  n = S[axis]
  place = arange(size)
  if align_corners {
    place = place * ((n - 1.0) / maximum(size - 1.0, 1))
  } else {
    place = clip((place + 0.5) * (1.0 * n / size) - 0.5, 0, n - 1.0)
  }
  low = floor(place)
  ones_behind = []
  for i in 0..len(S) - 1 - axis {
    ones_behind = append(ones_behind, 1)
  }
  share = reshape(place - low, [size] + ones_behind)
  first = take(x, cast(low, i32), axis: axis)
  first + (take(x, cast(low, i32) + 1, axis: axis) - first) * share
}

/// Images of another size, by the `nearest` element or by `bilinear` interpolation.
block resize2d(x: f32[N, H, W, C], size: int[2], method: string = "bilinear", align_corners: bool = false) {
  assert method == "nearest" || method == "bilinear", "method is nearest or bilinear, not {method}"
  rows, columns = size
  if method == "nearest" {
    x |> nearest_along(rows, axis: 1) |> nearest_along(columns, axis: 2)
  } else {
    x |> linear_along(rows, axis: 1, align_corners: align_corners)
      |> linear_along(columns, axis: 2, align_corners: align_corners)
  }
}

/// Images `factor` times as large.
block upsample2d(x: f32[N, H, W, C], factor: int[2] = 2, method: string = "nearest") {
  if method == "nearest" {
    x |> repeat_elements(factor[0], axis: 1) |> repeat_elements(factor[1], axis: 2)
  } else {
    resize2d(x, [H * factor[0], W * factor[1]], method: method)
  }
}

/// Channels become points: each group of factor² channels that follow one another is a square of the larger image (Shi and others, 2016).
block pixel_shuffle(x: f32[N, H, W, C], factor: int) {
  assert C % (factor * factor) == 0, "C = {C} channels do not divide by factor² = {factor * factor}"
  rearrange(x, "n h w (c a b) -> n (h a) (w b) c", a: factor, b: factor)
}

/// The way back of pixel_shuffle: squares of factor × factor points become channels.
block pixel_unshuffle(x: f32[N, H, W, C], factor: int) {
  assert H % factor == 0 && W % factor == 0, "an image of {H} × {W} does not divide into squares of {factor} × {factor}"
  rearrange(x, "n (h a) (w b) c -> n h w (c a b)", a: factor, b: factor)
}

/// For each of `count` parts of an axis of `size`, the weights of its elements: part i reaches from ⌊i · size / count⌋ to
/// ⌈(i + 1) · size / count⌉.
block part_weights(size: int, count: int) -> f32[count, size] {
  begin = floor_divide(arange(count, dtype: i32) * size, count)
  end = floor_divide((arange(count, dtype: i32) + 1) * size + count - 1, count)
  places = arange(size, dtype: i32)
  inside[i, j] = where(places[j] >= begin[i] && places[j] < end[i], 1 / cast(end[i] - begin[i], f32), 0)
  inside
}

/// The mean of each cell of a grid of `size` cells, whatever the size of the image.
block adaptive_average_pool2d(x: f32[N, H, W, C], size: int[2]) -> f32[N, size[0], size[1], C] {
  rows = part_weights(H, size[0])
  columns = part_weights(W, size[1])
  y[n, i, j, c] = sum(h, w) rows[i, h] * x[n, h, w, c] * columns[j, w]
  y
}

/// The greatest value of each cell of a grid of `size` cells, whatever the size of the image.
block adaptive_max_pool2d(x: f32[N, H, W, C], size: int[2]) -> f32[N, size[0], size[1], C] {
  rows = []
  for i in 0..size[0] {
    rows = append(rows, max(x[:, int(i * H / size[0]):int(((i + 1) * H + size[0] - 1) / size[0])], axis: 1))
  }
  y = stack(rows, axis: 1)
  columns = []
  for j in 0..size[1] {
    columns = append(columns, max(y[:, :, int(j * W / size[1]):int(((j + 1) * W + size[1] - 1) / size[1])], axis: 2))
  }
  stack(columns, axis: 2)
}

/// Positions from -1 to 1 along an axis of `size` elements: their middles, or with `align_corners` from the first to the last.
block grid_positions(size: int, align_corners: bool = false) -> f32[size] {
  if align_corners {
    arange(size) * (2 / maximum(size - 1.0, 1)) - 1
  } else {
    (arange(size) * 2 + 1) / size - 1
  }
}

/// Where each element of an image of `size` lies after the affine map `theta` [N, 2, 3]: columns and rows from -1 to 1, for
/// grid_sample (Jaderberg and others, 2015).
block affine_grid(theta: f32[N, 2, 3], size: int[2], align_corners: bool = false) -> f32[N, size[0], size[1], 2] {
  rows = grid_positions(size[0], align_corners: align_corners)
  columns = grid_positions(size[1], align_corners: align_corners)
  grid[n, i, j, k] = theta[n, k, 0] * columns[j] + theta[n, k, 1] * rows[i] + theta[n, k, 2]
  grid
}

/// The image at the places of `grid` (columns and rows from -1 to 1), between the four elements around each. Beyond the edge
/// there are zeros, or with `border` the element at the edge.
block grid_sample(x: f32[N, H, W, C], grid: f32[N, I, J, 2], border: bool = false, align_corners: bool = false)
    -> f32[N, I, J, C] {
  column = unnormalized(grid[:, :, :, 0], W, border, align_corners)
  row = unnormalized(grid[:, :, :, 1], H, border, align_corners)
  left = floor(column)
  top = floor(row)
  pixels = reshape(x, [N, H * W, C])
  y = zeros([N, I, J, C])
  for below in 0..2 {
    for right in 0..2 {
      r = top + below
      c = left + right
      inside = cast(r >= 0 && r <= H - 1 && c >= 0 && c <= W - 1, f32)
      share = (1 - abs(row - r)) * (1 - abs(column - c)) * inside
      place = cast(clip(r, 0, H - 1.0) * W + clip(c, 0, W - 1.0), i32)
      y[n, i, j, k] = y[n, i, j, k] + pixels[n, place[n, i, j], k] * share[n, i, j]
    }
  }
  y
}

/// From -1 … 1 to the numbers of elements, kept inside if `border`.
block unnormalized(place: f32[...S], size: int, border: bool, align_corners: bool) {
  if align_corners {
    place = (place + 1) * ((size - 1.0) / 2)
  } else {
    place = ((place + 1) * size - 1) / 2
  }
  if border {
    place = clip(place, 0, size - 1.0)
  }
  place
}
