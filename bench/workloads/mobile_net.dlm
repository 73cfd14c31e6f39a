/// W7: a small MobileNetV2 whose batch norms are folded into the convolutions, which pad by one on every side.

/// An inverted residual: widen, filter each channel by itself, narrow.
block inverted_residual(x: f32[N, H, W, C], filters: int, stride: int = 1, expand: int = 6) {
  y = x
  if expand > 1 {
    y = y |> conv2d(C * expand, kernel: 1) as e |> relu6
  }
  y = y |> depthwise_conv2d(kernel: 3, stride: stride, padding: 1) as d |> relu6
  y = y |> conv2d(filters, kernel: 1) as p
  if stride == 1 && filters == C {
    y = x + y
  }
  y
}

model MobileNet(x: f32[N, 96, 96, 3]) -> (probs: f32[N, 10]) {
  h = x |> conv2d(16, kernel: 3, stride: 2, padding: 1) as stem |> relu6
  h = h |> inverted_residual(16, expand: 1) as b0
  h = h |> inverted_residual(24, stride: 2) as b1 |> inverted_residual(24) as b2
  h = h |> inverted_residual(32, stride: 2) as b3 |> inverted_residual(32) as b4
  h = h |> inverted_residual(64, stride: 2) as b5 |> inverted_residual(64) as b6
  logits = h |> conv2d(256, kernel: 1) as head |> relu6 |> global_average_pool2d |> dense(10) as fc
  probs = softmax(logits)
}
