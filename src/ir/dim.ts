// Dimensions: integers, or polynomials with integer coefficients in named sizes that are free until run time
// (`N`, `4*H + 1`, `floor(T/2)`). Polynomials are kept in a normal form, so that equal ones print alike.

export type Dim = number | Polynomial;

/** A sum of terms, ordered by their printed factors; never a plain number (those are `number`). */
export interface Polynomial {
  readonly terms: readonly Term[];
}

export interface Term {
  readonly coefficient: number;
  /** Sorted by printed form; empty for the constant term. */
  readonly factors: readonly Factor[];
}

/** A free size by its name, or a rounded-down quotient that does not come out as a polynomial. */
export type Factor = string | Quotient;

export interface Quotient {
  readonly numerator: Polynomial;
  readonly divisor: number;
}

/** Values of the free sizes at run time. */
export type Sizes = Readonly<Record<string, number>>;

const formatFactor = (factor: Factor): string =>
  typeof factor === "string" ? factor : `floor((${formatDim(factor.numerator)})/${factor.divisor})`;

const termKey = (term: Term): string => term.factors.map(formatFactor).join("*");

const termsOf = (dim: Dim): readonly Term[] =>
  typeof dim === "number" ? (dim === 0 ? [] : [{ coefficient: dim, factors: [] }]) : dim.terms;

function fromTerms(terms: readonly Term[]): Dim {
  const merged = new Map<string, Term>();
  for (const term of terms) {
    const key = termKey(term);
    const present = merged.get(key);
    merged.set(key, present ? { ...term, coefficient: present.coefficient + term.coefficient } : term);
  }
  const kept = [...merged].filter(([, term]) => term.coefficient !== 0);
  if (kept.length === 0) return 0;
  const [only] = kept;
  if (kept.length === 1 && only && only[0] === "") return only[1].coefficient;
  // Longer products first and the constant last, as one writes polynomials.
  kept.sort(([a, ta], [b, tb]) => tb.factors.length - ta.factors.length || (a < b ? -1 : a > b ? 1 : 0));
  return { terms: kept.map(([, term]) => term) };
}

/** The free size called `name`. */
export const symbol = (name: string): Polynomial => ({ terms: [{ coefficient: 1, factors: [name] }] });

export const addDims = (a: Dim, b: Dim): Dim =>
  typeof a === "number" && typeof b === "number" ? a + b : fromTerms([...termsOf(a), ...termsOf(b)]);

export const subtractDims = (a: Dim, b: Dim): Dim => addDims(a, multiplyDims(-1, b));

export function multiplyDims(a: Dim, b: Dim): Dim {
  // Adding 0 makes 0 of -0, which would print otherwise.
  if (typeof a === "number" && typeof b === "number") return a * b + 0;
  const products: Term[] = [];
  for (const s of termsOf(a)) {
    for (const t of termsOf(b)) {
      const factors = [...s.factors, ...t.factors].sort((p, q) => (formatFactor(p) < formatFactor(q) ? -1 : 1));
      products.push({ coefficient: s.coefficient * t.coefficient, factors });
    }
  }
  return fromTerms(products);
}

/** The number of elements of a shape. */
export const productOf = (dims: readonly Dim[]): Dim => dims.reduce<Dim>(multiplyDims, 1);

/** floor(a / divisor), for a positive integer divisor. */
export function floorDivideDim(a: Dim, divisor: number): Dim {
  if (typeof a === "number") return Math.floor(a / divisor);
  if (divisor === 1) return a;
  const even = a.terms.filter((t) => t.coefficient % divisor === 0);
  const odd = a.terms.filter((t) => t.coefficient % divisor !== 0);
  const quotient = fromTerms(even.map((t) => ({ ...t, coefficient: t.coefficient / divisor })));
  const rest = fromTerms(odd);
  if (typeof rest === "number") return addDims(quotient, Math.floor(rest / divisor));
  const factor: Quotient = { numerator: rest, divisor };
  return addDims(quotient, { terms: [{ coefficient: 1, factors: [factor] }] });
}

/** a / b where it comes out even for every value of the free sizes (b a number or a single term), else undefined. */
export function divideExactly(a: Dim, b: Dim): Dim | undefined {
  if (equalDims(a, b) && b !== 0) return 1;
  const [by, ...more] = termsOf(b);
  if (!by || more.length > 0) return undefined;
  const terms: Term[] = [];
  for (const term of termsOf(a)) {
    if (term.coefficient % by.coefficient !== 0) return undefined;
    const factors = [...term.factors];
    for (const factor of by.factors) {
      const at = factors.findIndex((f) => formatFactor(f) === formatFactor(factor));
      if (at < 0) return undefined;
      factors.splice(at, 1);
    }
    terms.push({ coefficient: term.coefficient / by.coefficient, factors });
  }
  return fromTerms(terms);
}

export const equalDims = (a: Dim, b: Dim): boolean =>
  typeof a === "number" || typeof b === "number" ? a === b : a === b || formatDim(a) === formatDim(b);

export const equalShapes = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((dim, i) => equalDims(dim, b[i]!));

/** The value of `dim` once the free sizes are known; throws a RangeError for a size that is not given. */
export function evaluateDim(dim: Dim, sizes: Sizes): number {
  if (typeof dim === "number") return dim;
  let sum = 0;
  for (const { coefficient, factors } of dim.terms) {
    let product = coefficient;
    for (const factor of factors) product *= evaluateFactor(factor, sizes);
    sum += product;
  }
  return sum;
}

function evaluateFactor(factor: Factor, sizes: Sizes): number {
  if (typeof factor !== "string") return Math.floor(evaluateDim(factor.numerator, sizes) / factor.divisor);
  const value = sizes[factor];
  if (value === undefined) throw new RangeError(`the size ${factor} is not known`);
  return value;
}

/** Names of the free sizes in `dim`, in order of appearance. */
export function symbolsOf(dim: Dim): string[] {
  const names = new Set<string>();
  const visit = (d: Dim): void => {
    for (const term of termsOf(d)) {
      for (const factor of term.factors) {
        if (typeof factor === "string") names.add(factor);
        else visit(factor.numerator);
      }
    }
  };
  visit(dim);
  return [...names];
}

/** The text form, the same for equal dimensions: `N`, `4*H + 1`, `2*N*T - 3`, `floor((T + 1)/2)`. */
export function formatDim(dim: Dim): string {
  if (typeof dim === "number") return String(dim);
  return dim.terms
    .map((term, i) => {
      const magnitude = Math.abs(term.coefficient);
      const names = termKey(term);
      const text = names === "" ? String(magnitude) : magnitude === 1 ? names : `${magnitude}*${names}`;
      if (i === 0) return term.coefficient < 0 ? `-${text}` : text;
      return term.coefficient < 0 ? ` - ${text}` : ` + ${text}`;
    })
    .join("");
}
