/// Long short-term memory over 100 steps of 64 features, with 128 units.
model Lstm(x: f32[1, 100, 64]) -> (y: f32[1, 100, 128]) {
  y = x |> lstm(128)
}
