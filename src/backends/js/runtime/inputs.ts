// How a bundle reads what its caller gives: finds the free sizes, and says what is wrong with the inputs in the model's own words.
// Bundles of all targets carry this file; it imports nothing of the compiler.

export const arrays = {
  f32: Float32Array,
  f16: Uint16Array,
  i32: Int32Array,
  u8: Uint8Array,
  i8: Int8Array,
  bool: Uint8Array,
} as const;

export type Sizes = Record<string, number>;

/** A size of an axis: fixed, free under a name, or worked out from the free ones. */
type Axis = number | string | ((sizes: Sizes) => number);

export interface Signature {
  readonly name: string;
  readonly dtype: keyof typeof arrays;
  readonly shape: readonly Axis[];
}

export interface Description {
  readonly name: string;
  /** Free sizes, in the order in which the graph's function takes them. */
  readonly sizes: readonly string[];
  readonly inputs: readonly Signature[];
  /** What must be 0 or more for the sizes of a call, and what is wrong where it is not. */
  readonly requirements: readonly (readonly [value: (sizes: Sizes) => number, text: string])[];
}

export type Data = ArrayLike<number>;
export type Given = number | Data | { readonly data: Data; readonly shape?: readonly number[] };

export interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** The elements of the inputs, in the order of the description, and the free sizes. Throws a TypeError that says what does not fit. */
export function readInputs(
  model: Description,
  inputs: Record<string, Given>,
): { readonly sizes: Sizes; readonly data: readonly Data[] } {
  if (typeof inputs !== "object" || inputs === null) fail("the inputs are an object");
  for (const name of Object.keys(inputs)) {
    if (!model.inputs.some((input) => input.name === name)) fail(`there is no input ${name}`);
  }
  const sizes: Sizes = {};
  const given = model.inputs.map((input) => {
    // Seed and step of random numbers may be left out.
    const value = inputs[input.name] ?? (input.name === "key" ? [0, 0] : fail(`input ${input.name} is missing`));
    const plain = typeof value === "number" && input.shape.length === 0 ? [value] : value;
    const { data, shape } = typeof plain === "object" && "data" in plain ? plain : { data: plain, shape: undefined };
    if (!isNumbers(data) || (shape !== undefined && !isNumbers(shape)))
      fail(`${input.name} should be a flat array of numbers, or { data, shape }`);
    return { data, shape };
  });
  // What says its shape tells the free sizes first; the others follow from the number of elements.
  model.inputs.forEach((input, i) => {
    const shape = given[i]!.shape;
    if (shape) solve(input, shape);
  });
  model.inputs.forEach((input, i) => {
    const { data, shape } = given[i]!;
    if (!shape) solveByCount(input, data.length);
  });

  model.inputs.forEach((input, i) => {
    const { data, shape } = given[i]!;
    const wanted = shapeOf(input, sizes);
    if (data.length === product(wanted) && (!shape || String(shape) === String(wanted))) return;
    const found = shape ? `shape [${shape.join(", ")}] and ` : "";
    fail(`${input.name} has ${found}${data.length} elements, expected ${describe(input)}`);
  });
  for (const [value, text] of model.requirements) {
    if (value(sizes) < 0) fail(`${text}, for ${model.sizes.map((name) => `${name} = ${sizes[name]}`).join(", ")}`);
  }
  return { sizes, data: given.map(({ data }) => data) };

  function fail(what: string): never {
    throw new TypeError(
      `${model.name}: ${what}; it takes ${model.inputs.map((i) => `${i.name}: ${describe(i)}`).join(", ")}`,
    );
  }

  function describe({ dtype, shape }: Signature): string {
    return `${dtype}[${shape.map((axis) => (typeof axis === "function" ? "…" : axis)).join(", ")}]`;
  }

  function solve(input: Signature, shape: readonly number[]): void {
    if (shape.length !== input.shape.length)
      fail(`${input.name} has shape [${shape.join(", ")}], expected ${describe(input)}`);
    input.shape.forEach((axis, i) => {
      if (typeof axis !== "string") return;
      const known = sizes[axis];
      if (known !== undefined && known !== shape[i])
        fail(`${axis} is ${known} for one input, ${shape[i]} for ${input.name}`);
      sizes[axis] = shape[i]!;
    });
  }

  function solveByCount(input: Signature, count: number): void {
    const open = input.shape.filter((axis) => typeof axis === "string" && sizes[axis] === undefined);
    const [only] = open;
    if (only === undefined) return;
    if (open.length > 1) fail(`${input.name} needs a shape: { data, shape }`);
    const rest = product(input.shape.map((axis) => (axis === only ? 1 : sizeOf(axis, sizes))));
    if (count % rest !== 0) fail(`${input.name} has ${count} elements, expected ${describe(input)}`);
    sizes[String(only)] = rest === 0 ? 0 : count / rest;
  }
}

/** Typed arrays are; other arrays are looked through, since an array in an array would become NaN. */
function isNumbers(given: unknown): given is Data {
  if (ArrayBuffer.isView(given)) return "length" in given && !/^Big/.test(given.constructor.name);
  return Array.isArray(given) && given.every((item) => typeof item === "number");
}

export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function sizeOf(axis: Axis, sizes: Sizes): number {
  if (typeof axis === "function") return axis(sizes);
  return typeof axis === "number" ? axis : sizes[axis]!;
}

export const shapeOf = ({ shape }: Signature, sizes: Sizes): number[] => shape.map((axis) => sizeOf(axis, sizes));
