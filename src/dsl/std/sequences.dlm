/// Losses of sequences.

/// -log of the probability that the logits [N, T, K] read as the labels [N, L], when repeated classes are taken for one and
/// `blank` for nothing (Graves and others, 2006): the sum over all alignments, by their forward recursion in logarithms. Rows end after
/// `times` [N] steps and `lengths` [N] labels, all of them unless given. The mean over the rows.
block ctc_loss(logits: f32[N, T, K], labels: i32[N, L], times = none, lengths = none, blank: int = 0) -> f32[] {
  log_p = log_softmax(logits)
  impossible = -1e30
  blanks = full([N, L, 1], blank, dtype: i32)
  pairs = reshape(concatenate([blanks, expand_dims(labels, 2)], axis: 2), [N, 2 * L])
  path = concatenate([pairs, full([N, 1], blank, dtype: i32)], axis: 1)        // blank a blank b blank
  chance[n, t, u] = log_p[n, t, path[n, u]]
  place = broadcast_to(arange(2 * L + 1, dtype: i32), [N, 2 * L + 1])
  // A label may follow another without a blank between if they differ.
  before = concatenate([path[:, :1], path[:, :1], path[:, :-2]], axis: 1)
  leaps = place >= 2 && path != blank && path != before
  score = where(place < 2, chance[:, 0], impossible)
  places = broadcast_to(expand_dims(arange(T, dtype: i32), 0), [N, T])
  scan c, t in chance[:, 1:], places[:, 1:] along 1 carry score {
    stepped = pad(score[:, :-1], [[0, 0], [1, 0]], value: impossible)
    leapt = where(leaps, pad(score[:, :-2], [[0, 0], [2, 0]], value: impossible), impossible)
    next = logsumexp(stack([score, stepped, leapt], axis: 2)) + c
    if times == none {
      score = next
    } else {
      score = where(expand_dims(t < times, 1), next, score)
    }
    yield score
  }
  last = full([N], 2 * L, dtype: i32)
  if lengths != none {
    last = 2 * lengths
  }
  ends = expand_dims(last, 1)
  mean(-logsumexp(where(place == ends || place == ends - 1, score, impossible)))
}
