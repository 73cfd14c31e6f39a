/// W1: a matrix product of two operands that are both given at run time.
model Matmul(a: f32[M, K], b: f32[K, N]) -> (c: f32[M, N]) {
  c = a @ b
}
