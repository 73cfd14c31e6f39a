// Random numbers for everything around the compiled graphs: the order of rows, splits, drawn digits. Each purpose has a
// stream of its own, named by words, so that a run can be resumed without keeping the state of a generator.

export interface Random {
  /** Uniform in [0, 1), in steps of 2^-32. */
  uniform(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** A whole number, uniform in 0 … count - 1. */
  below(count: number): number;
  /** Normally distributed, with mean 0 and deviation 1 (Box and Muller). */
  normal(): number;
}

/** The stream for a purpose: `randomFor("shuffle", seed, epoch)`. Equal words give equal numbers, on every machine. */
export function randomFor(...words: readonly (number | string)[]): Random {
  // The words are hashed (FNV-1a, finished as in MurmurHash3) into the four words of the state of xoshiro128**
  // (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021).
  let hash = 0x811c9dc5;
  for (const character of JSON.stringify(words)) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  const nextWord = (): number => {
    hash = (hash + 0x9e3779b9) | 0;
    let z = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return z ^ (z >>> 16);
  };
  let a = nextWord();
  let b = nextWord();
  let c = nextWord();
  // Never all zero, the one state that xoshiro cannot leave.
  let d = nextWord() | 1;
  const word = (): number => {
    const five = Math.imul(b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  };
  const uniform = (): number => word() / 2 ** 32;
  let spare: number | undefined;
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    below: (count) => Math.floor(uniform() * count),
    normal: () => {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
  };
}

/** The numbers 0 … count - 1 in random order (Fisher and Yates). */
export function permutation(count: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
}
