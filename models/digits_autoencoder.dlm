/// Learns without labels: 784 pixels through sixteen numbers, and back to the same pixels.
model Autoencoder(image: f32[N, 28, 28, 1]) -> (picture: f32[N, 28, 28, 1], code: f32[N, 16]) {
  code = image |> flatten |> dense(64) |> relu |> dense(16)
  pixels = code |> dense(64) |> relu |> dense(784) |> sigmoid
  picture = reshape(pixels, [N, 28, 28, 1])
}

train Autoencoder {
  data: digits(4000, seed: 1)
  test: digits(500, seed: 2)
  loss: mean_squared_error(picture, image)
  optimizer: adam(lr: 2e-3)
  epochs: 5
  batch: 32
  seed: 0
}
