/// W6: a chain of elementwise functions over a long vector.
model Elementwise(a: f32[N], b: f32[N], c: f32[N]) -> (y: f32[N]) {
  y = tanh(a * b + c) * sigmoid(a)
}
