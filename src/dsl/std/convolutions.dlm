/// Further convolutions. Sequences have the axes [batch, time, channels], images [batch, height, width, channels].

/// Slides `filters` kernels along a sequence. `padding` is "valid", "same", a number, or "causal": zeros before the beginning only, so
/// that no output sees what comes later.
block conv1d(x: f32[N, T, C], filters: int, kernel: int, stride: int = 1, padding = "valid", dilation: int = 1,
             groups: int = 1, bias: bool = true, kernel_init: initializer = glorot_uniform) {
  assert C % groups == 0 && filters % groups == 0, "C = {C} and filters = {filters} must divide by groups = {groups}"
  width = kernel
  param kernel: f32[width, C / groups, filters] ~ kernel_init
  around = padding
  if padding == "causal" {
    x = pad(x, [[0, 0], [(width - 1) * dilation, 0], [0, 0]])
    around = "valid"
  }
  y = convolution(x, kernel, stride: stride, padding: around, dilation: dilation, groups: groups)
  if bias {
    param bias: f32[filters] ~ zeros
    y = y + bias
  }
  y
}

/// A depthwise convolution, and after it one of size 1 that mixes the channels: far fewer weights than conv2d (Chollet, 2016).
block separable_conv2d(x: f32[N, H, W, C], filters: int, kernel: int[2], multiplier: int = 1, stride: int[2] = 1,
                       padding = "valid", dilation: int[2] = 1, bias: bool = true)
  = x |> depthwise_conv2d(kernel, multiplier: multiplier, stride: stride, padding: padding, dilation: dilation, bias: false)
      as depthwise
    |> conv2d(filters, kernel: 1, bias: bias) as pointwise

/// The way back of a strided convolution: every input puts a weighted kernel into the output, `stride` apart, and what overlaps adds
/// up. It is what the gradient of conv2d does, and is written so. `padding` "same" gives H · stride rows; "valid" and numbers
/// (H - 1) · stride + kernel less the padding on both sides.
block conv2d_transpose(x: f32[N, H, W, C], filters: int, kernel: int[2], stride: int[2] = 1, padding = "valid",
                       bias: bool = true, kernel_init: initializer = glorot_uniform) {
  height, width = kernel
  param kernel: f32[height, width, filters, C] ~ kernel_init
  rows = (H - 1) * stride[0] + height
  columns = (W - 1) * stride[1] + width
  if padding == "same" {
    rows = H * stride[0]
    columns = W * stride[1]
  } else if padding != "valid" {
    rows = rows - 2 * padding
    columns = columns - 2 * padding
  }
  // The convolution is linear, so that its gradient at 0 is its gradient everywhere.
  origin = zeros([N, rows, columns, filters])
  there = convolution(origin, kernel, stride: stride, padding: padding)
  y = grad(sum(there * x), origin)
  if bias {
    param bias: f32[filters] ~ zeros
    y = y + bias
  }
  y
}
