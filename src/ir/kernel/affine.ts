// The normal form of index expressions: a sum of coefficient × product of atoms, plus a constant. An atom is whatever is
// not a sum or product: a variable, a quotient, a remainder, a value read from a buffer. `build.ts` normalises as it goes.

import type { Expr } from "./types.ts";

export interface Affine {
  readonly terms: readonly AffineTerm[];
  readonly constant: number;
}

export interface AffineTerm {
  readonly coefficient: number;
  /** Sorted by key; never empty. */
  readonly atoms: readonly Expr[];
}

/** A text that is equal for equal expressions, and only for them. */
export function exprKey(expr: Expr): string {
  if (expr.kind === "constant" || expr.kind === "variable") return makeKey(expr);
  const known = Known.of(expr);
  known.key ??= makeKey(expr);
  return known.key;
}

function makeKey(expr: Expr): string {
  switch (expr.kind) {
    case "constant":
      return `${Object.is(expr.value, -0) ? "-0" : expr.value}:${expr.type}`;
    case "variable":
      return expr.type === "index" ? expr.name : `${expr.name}:${expr.type}`;
    case "load":
      return `${expr.buffer}[${exprKey(expr.index)}]:${expr.type}`;
    case "unary":
      return `${expr.op}(${exprKey(expr.x)})`;
    case "binary":
    case "compare":
      return `${expr.op}(${exprKey(expr.a)},${exprKey(expr.b)})`;
    case "select":
      return `select(${exprKey(expr.condition)},${exprKey(expr.a)},${exprKey(expr.b)})`;
    case "fma":
      return `fma(${[expr.a, expr.b, expr.c].map(exprKey).join(",")})`;
    case "convert":
      return `${expr.type}(${exprKey(expr.x)})`;
    case "threefry":
      return `threefry(${[...expr.key, ...expr.counter].map(exprKey).join(",")})`;
    case "splat":
      return `splat(${exprKey(expr.x)})`;
    case "vector":
      return `vector(${expr.lanes.map(exprKey).join(",")})`;
    case "lane":
      return `lane(${exprKey(expr.x)},${expr.lane})`;
    case "reduce_lanes":
      return `reduce_${expr.op}(${exprKey(expr.x)})`;
  }
}

class Itself {
  constructor(target: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is how a private field gets onto an object that is there already
    return target;
  }
}

/**
 * What was worked out about an expression, in a private field of the expression itself: nobody else sees it, and copies of the
 * expression with other parts do not take it along. A WeakMap would do the same, but slows lowering down a good deal.
 */
class Known extends Itself {
  #known: { key?: string; form?: Affine } = {};

  static of(expr: Expr): { key?: string; form?: Affine } {
    return #known in expr ? expr.#known : new Known(expr).#known;
  }
}

const termKey = (term: AffineTerm): string => term.atoms.map(exprKey).join("*");

/** Merges equal terms and drops those with coefficient 0; the first appearance decides the order. */
function normalise(terms: readonly AffineTerm[], constant: number): Affine {
  const merged = new Map<string, AffineTerm>();
  for (const term of terms) {
    const key = termKey(term);
    const present = merged.get(key);
    merged.set(key, present ? { ...term, coefficient: present.coefficient + term.coefficient } : term);
  }
  return { terms: [...merged.values()].filter((term) => term.coefficient !== 0), constant };
}

/** The normal form of an expression of type `index`. */
export function toAffine(expr: Expr): Affine {
  if (expr.kind === "constant" || expr.kind === "variable") return makeAffine(expr);
  const known = Known.of(expr);
  known.form ??= makeAffine(expr);
  return known.form;
}

function makeAffine(expr: Expr): Affine {
  if (expr.kind === "constant") return { terms: [], constant: expr.value };
  if (expr.kind === "unary" && expr.op === "negate") return scaleAffine(toAffine(expr.x), -1);
  if (expr.kind === "binary") {
    switch (expr.op) {
      case "add":
        return addAffine(toAffine(expr.a), toAffine(expr.b));
      case "subtract":
        return addAffine(toAffine(expr.a), scaleAffine(toAffine(expr.b), -1));
      case "multiply":
        return multiplyAffine(toAffine(expr.a), toAffine(expr.b));
    }
  }
  return { terms: [{ coefficient: 1, atoms: [expr] }], constant: 0 };
}

export const constantAffine = (constant: number): Affine => ({ terms: [], constant });

export function addAffine(a: Affine, b: Affine): Affine {
  const constant = a.constant + b.constant;
  if (b.terms.length === 0) return { terms: a.terms, constant };
  if (a.terms.length === 0) return { terms: b.terms, constant };
  return normalise([...a.terms, ...b.terms], constant);
}

export function scaleAffine(a: Affine, by: number): Affine {
  if (by === 1) return a;
  if (by === 0) return constantAffine(0);
  const terms = a.terms.map(({ coefficient, atoms }) => ({ coefficient: coefficient * by, atoms }));
  return { terms, constant: a.constant * by };
}

export function multiplyAffine(a: Affine, b: Affine): Affine {
  if (b.terms.length === 0) return scaleAffine(a, b.constant);
  if (a.terms.length === 0) return scaleAffine(b, a.constant);
  const terms: AffineTerm[] = [];
  for (const s of [...a.terms, { coefficient: a.constant, atoms: [] }]) {
    for (const t of [...b.terms, { coefficient: b.constant, atoms: [] }]) {
      if (s.atoms.length + t.atoms.length === 0) continue;
      const atoms = [...s.atoms, ...t.atoms].sort((p, q) => (exprKey(p) < exprKey(q) ? -1 : 1));
      terms.push({ coefficient: s.coefficient * t.coefficient, atoms });
    }
  }
  return normalise(terms, a.constant * b.constant);
}

/** The constant that the form is, if it is one. */
export const constantOf = (a: Affine): number | undefined => (a.terms.length === 0 ? a.constant : undefined);

const indexConstant = (value: number): Expr => ({ kind: "constant", type: "index", value });

const indexBinary = (op: "add" | "subtract" | "multiply", a: Expr, b: Expr): Expr => ({
  kind: "binary",
  type: "index",
  op,
  a,
  b,
});

/** The expression for a normal form: `i * 240 + j * 4 + 3`, positive terms first. */
export function fromAffine(form: Affine): Expr {
  const product = (atoms: readonly Expr[], coefficient: number): Expr => {
    const all = coefficient === 1 ? atoms : [...atoms, indexConstant(coefficient)];
    return all.reduce((a, b) => indexBinary("multiply", a, b));
  };
  const positive = form.terms.filter((term) => term.coefficient > 0);
  const negative = form.terms.filter((term) => term.coefficient < 0);
  const first: Expr[] = positive.map((term) => product(term.atoms, term.coefficient));
  let rest = form.constant;
  if (first.length === 0 && negative.length > 0) {
    if (rest > 0) {
      first.push(indexConstant(rest));
      rest = 0;
    } else {
      const [head] = negative.splice(0, 1);
      first.push(product(head!.atoms, head!.coefficient));
    }
  }
  let sum = first.length === 0 ? indexConstant(rest) : first.reduce((a, b) => indexBinary("add", a, b));
  if (first.length === 0) return sum;
  for (const term of negative) sum = indexBinary("subtract", sum, product(term.atoms, -term.coefficient));
  if (rest > 0) sum = indexBinary("add", sum, indexConstant(rest));
  if (rest < 0) sum = indexBinary("subtract", sum, indexConstant(-rest));
  if (sum.kind === "binary") Known.of(sum).form = form;
  return sum;
}

/** Whether the variable `name` occurs anywhere in `expr`. */
export function mentions(expr: Expr, name: string): boolean {
  switch (expr.kind) {
    case "constant":
      return false;
    case "variable":
      return expr.name === name;
    case "load":
      return mentions(expr.index, name);
    case "unary":
    case "convert":
    case "splat":
    case "lane":
    case "reduce_lanes":
      return mentions(expr.x, name);
    case "fma":
      return [expr.a, expr.b, expr.c].some((x) => mentions(x, name));
    case "vector":
      return expr.lanes.some((x) => mentions(x, name));
    case "binary":
    case "compare":
      return mentions(expr.a, name) || mentions(expr.b, name);
    case "select":
      return mentions(expr.condition, name) || mentions(expr.a, name) || mentions(expr.b, name);
    case "threefry":
      return [...expr.key, ...expr.counter].some((x) => mentions(x, name));
  }
}

/**
 * An index as `coefficient * name + rest`, where neither part mentions the variable `name`; undefined where the index is
 * not affine in it. The coefficient is the stride with which a loop over `name` walks through memory.
 */
export function strideOf(expr: Expr, name: string): { readonly coefficient: Expr; readonly rest: Expr } | undefined {
  const stride: AffineTerm[] = [];
  const rest: AffineTerm[] = [];
  const form = toAffine(expr);
  for (const term of form.terms) {
    const at = term.atoms.findIndex((atom) => atom.kind === "variable" && atom.name === name);
    const others = term.atoms.filter((_, i) => i !== at);
    if (others.some((atom) => mentions(atom, name))) return undefined;
    if (at < 0) rest.push(term);
    else stride.push({ ...term, atoms: others });
  }
  const constant = stride.reduce((sum, term) => (term.atoms.length === 0 ? sum + term.coefficient : sum), 0);
  return {
    coefficient: fromAffine({ terms: stride.filter((term) => term.atoms.length > 0), constant }),
    rest: fromAffine({ terms: rest, constant: form.constant }),
  };
}
