/// W1: a matrix product of two operands that are both given at run time. Sizes are fixed, as they are for the engines that
/// compile for the sizes of their inputs.
model Matmul256(a: f32[256, 256], b: f32[256, 256]) -> (c: f32[256, 256]) {
  c = a @ b
}

model Matmul512(a: f32[512, 512], b: f32[512, 512]) -> (c: f32[512, 512]) {
  c = a @ b
}

model Matmul1024(a: f32[1024, 1024], b: f32[1024, 1024]) -> (c: f32[1024, 1024]) {
  c = a @ b
}

/// One program for all sizes.
model Matmul(a: f32[M, K], b: f32[K, N]) -> (c: f32[M, N]) {
  c = a @ b
}
