// Long sums on machines with groups of threads: where there are few points, and much to add up at each, the threads of a group share
// the work of one point. Each sums its part, then halves of the group add the parts of the other halves (a tree).

import { k } from "../../ir/kernel/build.ts";
import { type BinaryOp, type Expr, isVector, type Stmt } from "../../ir/kernel/types.ts";
import { definedIn, eachPart, eachPartIn, eachStatement, expressionsOf } from "../../ir/kernel/visit.ts";

type Loop = Extract<Stmt, { kind: "for" }>;

/** What `together` asks of the one who binds kernels to groups. */
export interface Sharing {
  readonly threads: number;
  /** How many bytes the group may share. */
  readonly sharedBytes: number;
  readonly fresh: (stem: string) => string;
  /** The loop over every `threads`th of its iterations, from that of `thread` on. */
  deal(loop: Loop, thread: Expr): Loop;
  /** About how many terms the loop adds up, at usual sizes; several a round where its step is more than 1. */
  terms(loop: Loop): number;
}

/** The number that changes nothing: sums that begin with another cannot be taken in parts. */
function neutralOf(op: BinaryOp, type: Sum["type"]): number | undefined {
  switch (op) {
    case "add":
      return 0;
    case "multiply":
      return 1;
    case "maximum":
      return dtypeOf(type) === "f32" ? Number.NEGATIVE_INFINITY : -(2 ** 31);
    case "minimum":
      return dtypeOf(type) === "f32" ? Number.POSITIVE_INFINITY : 2 ** 31 - 1;
    default:
      return undefined;
  }
}

/** A register that sums up, and how. */
interface Sum {
  readonly type: "f32" | "i32" | "f32x4" | "i32x4";
  readonly start: number;
  op?: BinaryOp;
  /** Whether threads hold different parts of it, or all of it. */
  state: "untouched" | "apart" | "joined";
}

type Sums = ReadonlyMap<string, Sum>;

const dtypeOf = (type: Sum["type"]): "f32" | "i32" => (type === "f32" || type === "f32x4" ? "f32" : "i32");

/** The elements of an array that hold one of it. */
const widthOf = (type: Sum["type"]): number => (isVector(type) ? 4 : 1);

/** A register that begins with a number, the same in all lanes of a vector. */
function sumOf({ value }: Extract<Stmt, { kind: "var" }>): Sum | undefined {
  const { type } = value;
  const start = value.kind === "splat" ? value.x : value;
  if (start.kind !== "constant" || (type !== "f32" && type !== "i32" && type !== "f32x4" && type !== "i32x4"))
    return undefined;
  return { type, start: start.value, state: "untouched" };
}

/**
 * What the threads of a group do at one point, with its shared arrays before it; undefined where the statements are not sums with
 * something before and behind them, or too short to be worth it.
 */
export function together(body: readonly Stmt[], sharing: Sharing): readonly Stmt[] | undefined {
  if (!isWorthIt(body, sharing)) return undefined;
  const { threads, fresh } = sharing;
  const name = fresh("thread");
  const thread = k.variable(name, "index");
  const sums = new Map<string, Sum>();
  const arrays: { name: string; type: Sum["type"]; length: number }[] = [];
  const own: Stmt[] = [];

  /** Adds up what the threads have apart of what is needed from here on. */
  const join = (rest: readonly Stmt[]): void => {
    const needed = variablesIn(rest);
    const open = [...sums].filter(([sum, { state }]) => state === "apart" && needed.has(sum));
    for (const [, sum] of open) sum.state = "joined";
    for (const { names, type, op } of byKind(open)) {
      const array = fresh("parts");
      const width = widthOf(type);
      arrays.push({ name: array, type, length: names.length * threads * width });
      const part = (i: number | Expr, of: Expr): Expr =>
        k.multiply(k.add(k.multiply(typeof i === "number" ? k.index(i) : i, threads), of), width);
      own.push(...names.map((sum, i) => k.store(array, part(i, thread), k.variable(sum, type))), k.barrier);
      for (let half = threads / 2; half >= 1; half /= 2) {
        const add = (i: number | Expr): Stmt => {
          const [mine, other] = [part(i, thread), part(i, k.add(thread, half))];
          return k.store(array, mine, k.binary(op, k.load(array, mine, type), k.load(array, other, type)));
        };
        const all = names.length === 1 ? [add(0)] : [k.loop(fresh("sum"), names.length, (i) => [add(i)])];
        own.push(k.if(k.lt(thread, half), all), k.barrier);
      }
      own.push(...names.map((sum, i) => k.assign(sum, k.load(array, part(i, k.index(0)), type))));
    }
  };

  for (const [i, s] of body.entries()) {
    const rest = body.slice(i);
    if (s.kind === "var") {
      const sum = sumOf(s);
      if (!sum) return undefined;
      sums.set(s.name, sum);
      own.push(s);
    } else if (s.kind === "let") {
      join(rest);
      own.push(s);
    } else if (s.kind === "assign") {
      if (!addsParts(s, sums)) join(rest);
      own.push(s);
    } else if (s.kind === "store") {
      join(rest);
      own.push(k.if(k.eq(thread, 0), [s]));
    } else if (s.kind === "for") {
      const changed = changedIn(s, sums);
      const sumsUp = changed.length > 0;
      if (sumsUp ? hasStores(s) || !onlySums(s.body, sums, new Set(definedIn(s.body))) : !hasStores(s))
        return undefined;
      if (changed.some(({ state }) => state === "joined")) return undefined;
      if (!sumsUp) join(rest.slice(0, 1));
      own.push(sharing.deal(s, thread));
      for (const sum of changed) sum.state = "apart";
    } else return undefined;
  }
  const bytes = arrays.reduce((sum, { length }) => sum + 4 * length, 0);
  if (arrays.length === 0 || bytes > sharing.sharedBytes) return undefined;
  return [
    ...arrays.map(({ name: array, type, length }) => k.shared(array, dtypeOf(type), length)),
    k.loop(name, threads, own, { mode: "thread" }),
  ];
}

/** Shorter sums are done before threads have met. */
function isWorthIt(body: readonly Stmt[], { threads, terms }: Sharing): boolean {
  const registers = body.filter(({ kind }) => kind === "var").length;
  // Sums one behind the other have a tree each: the longest has to be worth it.
  const longest = Math.max(0, ...body.map((s) => (s.kind === "for" && !hasStores(s) ? terms(s) : 0)));
  return longest >= (registers <= 8 ? 8 : 32) * threads;
}

/** Sums that the loop adds to. */
function changedIn(loop: Loop, sums: Sums): readonly Sum[] {
  const found = new Set<Sum>();
  eachStatement(loop.body, (s) => {
    const sum = s.kind === "assign" ? sums.get(s.name) : undefined;
    if (sum) found.add(sum);
  });
  return [...found];
}

function hasStores(loop: Loop): boolean {
  let found = false;
  eachStatement(loop.body, ({ kind }) => {
    if (kind === "store") found = true;
  });
  return found;
}

/** Whether the statements do nothing but add to sums, each always by the same operation, and never look at what they hold. */
function onlySums(body: readonly Stmt[], sums: Sums, local: ReadonlySet<string>): boolean {
  return body.every((s): boolean => {
    if (s.kind === "assign" && sums.has(s.name)) return addTo(s.name, s.value, sums);
    if (expressionsOf(s).some((expr) => mentionsAny(expr, sums))) return false;
    switch (s.kind) {
      case "for":
      case "block":
        return onlySums(s.body, sums, local);
      case "if":
        return onlySums(s.then, sums, local) && onlySums(s.otherwise, sums, local);
      case "let":
      case "var":
        return true;
      case "assign":
        return local.has(s.name);
      case "store":
      case "alloc":
      case "barrier":
        return false;
    }
  });
}

/** Notes how a sum is added to; false where that cannot be done in parts. */
function addTo(name: string, value: Expr, sums: Sums): boolean {
  const sum = sums.get(name)!;
  const isSum = (expr: Expr): boolean => expr.kind === "variable" && expr.name === name;
  const more = (parts: readonly Expr[]): boolean => !parts.some((part) => mentionsAny(part, sums));
  if (value.kind === "fma") return isSum(value.c) && more([value.a, value.b]) && agree(sum, "add");
  if (value.kind !== "binary") return false;
  const other = isSum(value.a) ? value.b : isSum(value.b) ? value.a : undefined;
  return other !== undefined && more([other]) && agree(sum, value.op);
}

function agree(sum: Sum, op: BinaryOp): boolean {
  if (neutralOf(op, sum.type) !== sum.start || (sum.op ?? op) !== op) return false;
  sum.op = op;
  return true;
}

/** Whether the statement adds one sum that is apart to another: then that holds for the parts as well. */
function addsParts({ name, value }: Extract<Stmt, { kind: "assign" }>, sums: Sums): boolean {
  if (value.kind !== "binary" || value.a.kind !== "variable" || value.b.kind !== "variable") return false;
  const [a, b] = [sums.get(value.a.name), sums.get(value.b.name)];
  return value.a.name === name && [a, b].every((sum) => sum?.state === "apart" && sum.op === value.op);
}

function mentionsAny(expr: Expr, sums: Sums): boolean {
  let found = false;
  eachPart(expr, (part) => {
    if (part.kind === "variable" && sums.has(part.name)) found = true;
  });
  return found;
}

function variablesIn(body: readonly Stmt[]): ReadonlySet<string> {
  const names = new Set<string>();
  eachPartIn(body, (part) => {
    if (part.kind === "variable") names.add(part.name);
  });
  return names;
}

interface Kind {
  readonly names: string[];
  readonly type: Sum["type"];
  readonly op: BinaryOp;
}

/** Sums of one type and operation, which share an array. */
function byKind(open: readonly (readonly [name: string, Sum])[]): readonly Kind[] {
  const kinds: Kind[] = [];
  for (const [name, { type, op }] of open) {
    const kind = kinds.find((other) => other.type === type && other.op === op);
    if (kind) kind.names.push(name);
    else if (op) kinds.push({ names: [name], type, op });
  }
  return kinds;
}
