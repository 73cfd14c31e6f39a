/// Pooling: one number for each window, channel by channel. Sequences have the axes [batch, time, channels], images
/// [batch, height, width, channels].

/// The greatest value of each window, channel by channel.
block max_pool2d(x: f32[N, H, W, C], size: int[2], stride: int[2] = size, padding = "valid")
  = window_max(x, size, stride: stride, padding: padding)

/// The mean of each window, channel by channel. Padding does not count.
block average_pool2d(x: f32[N, H, W, C], size: int[2], stride: int[2] = size, padding = "valid") {
  total = window_sum(x, size, stride: stride, padding: padding)
  if padding == "valid" {
    total / prod(size)
  } else {
    total / window_sum(ones([1, H, W, 1]), size, stride: stride, padding: padding)
  }
}

/// The mean of each channel over the whole image.
block global_average_pool2d(x: f32[N, H, W, C]) -> f32[N, C] = mean(x, axis: [1, 2])

/// The greatest value of each channel over the whole image.
block global_max_pool2d(x: f32[N, H, W, C]) -> f32[N, C] = max(x, axis: [1, 2])

/// The greatest value of each window of a sequence, channel by channel.
block max_pool1d(x: f32[N, T, C], size: int, stride: int = size, padding = "valid")
  = window_max(x, size, stride: stride, padding: padding)

/// The mean of each window of a sequence, channel by channel. Padding does not count.
block average_pool1d(x: f32[N, T, C], size: int, stride: int = size, padding = "valid") {
  total = window_sum(x, size, stride: stride, padding: padding)
  if padding == "valid" {
    total / size
  } else {
    total / window_sum(ones([1, T, 1]), size, stride: stride, padding: padding)
  }
}

/// The mean of each channel over the whole sequence.
block global_average_pool1d(x: f32[N, T, C]) -> f32[N, C] = mean(x, axis: 1)

/// The greatest value of each channel over the whole sequence.
block global_max_pool1d(x: f32[N, T, C]) -> f32[N, C] = max(x, axis: 1)
