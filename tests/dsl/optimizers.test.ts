// Every optimizer of the library against its formula, written out once more in plain numbers over five steps; clipping; and
// dropout, whose numbers are random but whose scale is not.

import { describe, expect, it } from "vitest";
import { std } from "../../src/dsl/std.generated.ts";
import { floats, initialOf, moduleOf, numbers, runGraph } from "./elaborated.ts";

const steps = 5;

/** A parameter `w` whose loss Σ a·w²/2 has the gradient a·w. */
const steepness = [1, 3];
const program = (optimizer: string, more = ""): string => `
model M(a: f32[2]) -> (loss: f32[]) {
  param w: f32[2] ~ constant(0.5)
  loss = sum(a * square(w)) / 2
}
train M {
  data: rows(a: [1, 3])
  loss: loss
  optimizer: ${optimizer}
  ${more}
}`;

/** The values of `w` after each step. */
function pathOf(optimizer: string, more = "", count = steps): number[][] {
  const module = moduleOf(program(optimizer, more));
  let globals = initialOf(module);
  return Array.from({ length: count }, (_, step) => {
    const inputs = { a: floats([2], steepness), step: floats([], [step]) };
    const { updates } = runGraph(module, "train_step", inputs, globals);
    globals = new Map([...globals, ...updates]);
    return numbers(globals.get("w")!);
  });
}

/** One step of one element: the new w from w, its gradient and the step's number from 0; `s` is for what is kept. */
type Formula = (w: number, g: number, t: number, s: { m: number; v: number }) => number;

function expectedPath(formula: Formula, initial = 0): number[][] {
  const kept = steepness.map(() => ({ m: 0, v: initial }));
  let w = [0.5, 0.5];
  return Array.from({ length: steps }, (_, t) => {
    w = w.map((x, i) => formula(x, steepness[i]! * x, t, kept[i]!));
    return w;
  });
}

const momentum: Formula = (w, g, _, s) => {
  s.v = 0.9 * s.v - 0.1 * g;
  return w + s.v;
};

/** Sutskever's form: the gradient is taken where the momentum leads to, in terms of the shifted parameter. */
const nesterov: Formula = (w, g, _, s) => {
  s.v = 0.9 * s.v - 0.1 * g;
  return w + 0.9 * s.v - 0.1 * g;
};

const adam =
  (decay: number): Formula =>
  (w, g, t, s) => {
    s.m = 0.9 * s.m + 0.1 * g;
    s.v = 0.99 * s.v + 0.01 * g * g;
    const mean = s.m / (1 - 0.9 ** (t + 1));
    const square = s.v / (1 - 0.99 ** (t + 1));
    return w - 0.1 * decay * w - (0.1 * mean) / (Math.sqrt(square) + 1e-3);
  };

const rmsprop: Formula = (w, g, _, s) => {
  s.v = 0.8 * s.v + 0.2 * g * g;
  return w - (0.1 * g) / (Math.sqrt(s.v) + 1e-3);
};

const adagrad: Formula = (w, g, _, s) => {
  s.v += g * g;
  return w - (0.1 * g) / (Math.sqrt(s.v) + 1e-3);
};

/** Dozat's, as PyTorch has it since 2.0; 1.13 multiplies one momentum too many into the next. */
const nadam: Formula = (w, g, t, s) => {
  const momentumAt = (step: number): number => 0.9 * (1 - 0.5 * 0.96 ** (step * 0.004));
  const upTo = (step: number): number =>
    Array.from({ length: step }, (_, i) => momentumAt(i + 1)).reduce((a, b) => a * b, 1);
  s.m = 0.9 * s.m + 0.1 * g;
  s.v = 0.99 * s.v + 0.01 * g * g;
  const [now, next] = [momentumAt(t + 1), momentumAt(t + 2)];
  const ahead = (next * s.m) / (1 - upTo(t + 2)) + ((1 - now) * g) / (1 - upTo(t + 1));
  return w - (0.1 * ahead) / (Math.sqrt(s.v / (1 - 0.99 ** (t + 1))) + 1e-3);
};

const lion: Formula = (w, g, _, s) => {
  const direction = Math.sign(0.9 * s.m + 0.1 * g);
  s.m = 0.99 * s.m + 0.01 * g;
  return w - 0.1 * (direction + 0.2 * w);
};

/** `initial` is what `v` begins with. */
const cases: readonly { readonly call: string; readonly formula: Formula; readonly initial?: number }[] = [
  { call: "sgd(lr: 0.1)", formula: (w, g) => w - 0.1 * g },
  { call: "sgd(lr: 0.1, momentum: 0.9)", formula: momentum },
  { call: "sgd(lr: 0.1, momentum: 0.9, nesterov: true)", formula: nesterov },
  { call: "rmsprop(lr: 0.1, rho: 0.8, epsilon: 1e-3)", formula: rmsprop },
  { call: "adam(lr: 0.1, beta2: 0.99, epsilon: 1e-3)", formula: adam(0) },
  { call: "adamw(lr: 0.1, weight_decay: 0.2, beta2: 0.99, epsilon: 1e-3)", formula: adam(0.2) },
  { call: "nadam(lr: 0.1, beta2: 0.99, epsilon: 1e-3)", formula: nadam },
  { call: "lion(lr: 0.1, weight_decay: 0.2)", formula: lion },
  { call: "max_norm(adam(lr: 0.1, beta2: 0.99, epsilon: 1e-3), limit: 0.1)", formula: adam(0) },
  { call: "non_negative(sgd(lr: 0.1))", formula: (w, g) => w - 0.1 * g },
  { call: "adagrad(lr: 0.1, initial: 0.2, epsilon: 1e-3)", formula: adagrad, initial: 0.2 },
];

describe("running means", () => {
  it("fade to 0, not to numbers that are too small to be normal", () => {
    const module = moduleOf(program("adam(lr: 0.1)"));
    let globals = initialOf(module);
    for (let step = 0; step < 900; step++) {
      // One gradient, then none.
      const inputs = { a: floats([2], step === 0 ? [1, -3] : [0, 0]), step: floats([], [step]) };
      globals = new Map([...globals, ...runGraph(module, "train_step", inputs, globals).updates]);
    }
    const kept = [...globals].filter(([name]) => name !== "w").map(([, tensor]) => numbers(tensor));
    expect(kept).toContainEqual([0, 0]);
    const isNormal = (x: number): boolean => x === 0 || Math.abs(x) >= 2 ** -126;
    for (const values of kept) expect(values.filter((x) => !isNormal(x))).toEqual([]);
  });
});

describe("optimizers", () => {
  it.each(cases)("$call", ({ call, formula, initial }) => {
    const expected = expectedPath(formula, initial);
    pathOf(call).forEach((w, step) => {
      w.forEach((value, i) => {
        expect(value, `w[${i}] after step ${step + 1}`).toBeCloseTo(expected[step]![i]!, 12);
      });
    });
  });

  // What PyTorch 1.13 makes of the same in float64, with eps 1e-8 but where it is given here: `torch.optim.RAdam([w], lr=0.1,
  // betas=(0.9, 0.99))` and so on.
  const paths: readonly (readonly [string, readonly number[]])[] = [
    ["adadelta(lr: 0.5, epsilon: 1e-4)", [0.3768437213031961, 0.3766270789314855]],
    ["adamax(lr: 0.1, beta2: 0.99)", [-0.04341356589880745, -0.04341356995300985]],
    ["radam(lr: 0.1, beta2: 0.99)", [0.2473733812262396, -0.047347015173248956]],
  ];

  it.each(paths)("%s goes where PyTorch's goes in 8 steps", (call, expected) => {
    pathOf(call, "", 8)[7]!.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 10);
    });
  });

  it("lamb steps in proportion to the parameter", () => {
    const [first] = pathOf("lamb(lr: 0.1, weight_decay: 0.2, epsilon: 1e-3)");
    const direction = steepness.map((a) => (a * 0.5) / (a * 0.5 + 1e-3) + 0.1);
    const ratio = Math.hypot(0.5, 0.5) / Math.hypot(...direction);
    first!.forEach((value, i) => {
      expect(value).toBeCloseTo(0.5 - 0.1 * ratio * direction[i]!, 12);
    });
  });

  it("max_norm and non_negative keep kernels within their bounds", () => {
    const stepped = (optimizer: string): number[] => {
      const module = moduleOf(`model M(x: f32[1]) -> (loss: f32[]) {
  param w: f32[2, 2] ~ ones
  loss = sum(w * array([[30, 1], [40, 1]]))
}
train M {
  data: rows(x: [0])
  loss: loss
  optimizer: ${optimizer}
}`);
      const inputs = { x: floats([1], [0]), step: floats([], [0]) };
      return numbers(runGraph(module, "train_step", inputs, initialOf(module)).updates.get("w")!);
    };
    const [a, b, c, d] = stepped("max_norm(sgd(lr: 0.1), limit: 2)");
    expect(Math.hypot(a!, c!)).toBeCloseTo(2, 12);
    expect([a! / c!, b, d]).toEqual([expect.closeTo(2 / 3, 12), 0.9, 0.9]);
    expect(stepped("non_negative(sgd(lr: 0.1))")).toEqual([0, 0.9, 0, 0.9]);
  });

  it("none of the library's is left out", () => {
    const declared = [...std["optimizers.dlm"]!.matchAll(/^optimizer (\w+)/gm)].map(([, name]) => name!);
    const tried = ["lamb(", ...cases.map(({ call }) => call), ...paths.map(([call]) => call)];
    expect(declared.filter((name) => !tried.some((call) => call.startsWith(`${name}(`)))).toEqual([]);
  });
});

describe("ema", () => {
  it("keeps a running mean of each parameter beside it, which forgets faster in the first steps", () => {
    const module = moduleOf(program("sgd(lr: 0.1)", "ema: 0.3"));
    let globals = initialOf(module);
    let [w, mean] = [
      [0.5, 0.5],
      [0.5, 0.5],
    ];
    for (const step of [0, 1, 2, 3, 4]) {
      const inputs = { a: floats([2], steepness), step: floats([], [step]) };
      globals = new Map([...globals, ...runGraph(module, "train_step", inputs, globals).updates]);
      const kept = Math.min(0.3, (1 + step) / (10 + step));
      w = w.map((x, i) => x - 0.1 * steepness[i]! * x);
      mean = mean.map((x, i) => kept * x + (1 - kept) * w[i]!);
      numbers(globals.get("ema.average.w")!).forEach((x, i) => void expect(x).toBeCloseTo(mean[i]!, 12));
      numbers(globals.get("w")!).forEach((x, i) => void expect(x).toBeCloseTo(w[i]!, 12));
    }
    expect(module.globals.get("ema.average.w")?.role).toBe("optimizer");
  });
});

describe("reduce_on_plateau", () => {
  /** The rates of the first and the second step of each epoch, given what the epochs before gave. */
  const ratesOf = (call: string, metrics: readonly number[]): number[][] => {
    const module = moduleOf(program(`max_norm(sgd(lr: ${call}))`));
    let globals = initialOf(module);
    return [0, ...metrics].map((metric, epoch) =>
      [0, 1].map(() => {
        const last = { "epoch.count": floats([], [epoch]), "epoch.loss": floats([], [metric]) };
        const inputs = { a: floats([2], [0, 0]), step: floats([], [epoch]), ...last };
        const { outputs, updates } = runGraph(module, "train_step", inputs, globals);
        globals = new Map([...globals, ...updates]);
        return numbers(outputs.learning_rate!)[0]!;
      }),
    );
  };

  it("divides the rate where the loss has not become less, once for each wait", () => {
    const rates = ratesOf("reduce_on_plateau(1, loss, factor: 0.5, patience: 1)", [3, 2, 2, 2, 2, 2, 1]);
    expect(rates).toEqual([1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25].map((rate) => [rate, rate]));
  });

  it("waits for more where it is told so, and stops at the end", () => {
    const rates = ratesOf(
      "reduce_on_plateau(1, loss, factor: 0.1, patience: 0, greatest: true, end: 0.05)",
      [1, 2, 2, 1],
    );
    expect(rates.map(([first]) => first)).toEqual([1, 1, 1, 0.1, 0.05]);
  });
});

describe("clipping", () => {
  /** What the first step of sgd(lr: 1) takes off: the clipped gradient. The gradient itself is [0.5, 1.5]. */
  const firstStep = (clip: string): number[] => pathOf("sgd(lr: 1)", `clip: ${clip}`)[0]!.map((w) => 0.5 - w);
  const norm = Math.hypot(0.5, 1.5);

  it("scales gradients down together where their norm exceeds the limit", () => {
    const clipped = firstStep("global_norm(0.5)");
    expect(clipped[0]).toBeCloseTo((0.5 * 0.5) / norm, 12);
    expect(clipped[1]).toBeCloseTo((1.5 * 0.5) / norm, 12);
  });

  it("leaves shorter gradients as they are", () => {
    expect(firstStep("global_norm(10)")).toEqual([0.5, 1.5]);
  });

  it("limits each element", () => {
    expect(firstStep("value(1)")).toEqual([0.5, 1]);
  });
});

describe("dropout", () => {
  it("keeps or drops whole elements, about as many as it should, and scales what it keeps", () => {
    const module = moduleOf(`model M(x: f32[N, 4000]) -> (y: f32[N, 4000]) {
  param w: f32[] ~ ones
  y = w * dropout(x, 0.2)
}
train M {
  data: rows(x: [[0]])
  loss: sum(y)
  optimizer: sgd(lr: 1)
}`);
    const x = floats([1, 4000], new Array<number>(4000).fill(1));
    const { outputs } = runGraph(module, "train_step", { x }, initialOf(module));
    // The loss is the sum of what is kept, each 1 / 0.8 of what it was.
    const kept = outputs.loss!.data[0]! * 0.8;
    expect(kept).toBeCloseTo(Math.round(kept), 6);
    // 3200 are expected, with a deviation of sqrt(4000 · 0.2 · 0.8) = 25; the numbers are the same in each run.
    expect(Math.abs(kept - 3200)).toBeLessThan(100);
  });
});
