/// Linear equations.

/// The solution y of a·y = b, for a small regular matrix: Gauss and Jordan's elimination, which takes as pivot the greatest
/// element that is left in each column. It is unrolled: n steps.
block solve(a: f32[D, D], b: f32[D, M]) -> f32[D, M] {
  table = concatenate([a, b], axis: 1)
  rows = arange(D, dtype: i32)
  for c in 0..D {
    pivot = argmax(where(rows < c, -1.0, abs(table[:, c])), axis: 0)
    table = take(table, where(rows == c, pivot, where(rows == pivot, c, rows)))
    row = table[c] / table[c, c]
    rest = table - expand_dims(table[:, c], 1) * row
    table = where(expand_dims(rows == c, 1), row, rest)
  }
  table[:, D:]
}
