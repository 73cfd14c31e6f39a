// The standard library against known values: losses, metrics, schedules, initializers, statistics, optimizers.

import { describe, expect, it } from "vitest";
import { evaluated, floats, initialOf, integers, moduleOf, numbers, runGraph, type Tensors } from "./elaborated.ts";

const near = (actual: readonly number[], expected: readonly number[], digits = 10): void => {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, digits);
  });
};

const logits = "array([[1, 2, 3], [0, 0, 0], [5, -5, 1]])";
const softmaxOf = (row: readonly number[]): number[] => {
  const e = row.map(Math.exp);
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((value) => value / sum);
};

describe("activations", () => {
  it("stay finite and exact far from 0", () => {
    const x = "array([-1000, -30, 0, 30, 1000])";
    near(numbers(evaluated(`sigmoid(${x})`, "f32[5]")), [0, Math.exp(-30) / (1 + Math.exp(-30)), 0.5, 1, 1]);
    near(numbers(evaluated(`softplus(${x})`, "f32[5]")), [0, Math.log1p(Math.exp(-30)), Math.log(2), 30, 1000]);
    near(numbers(evaluated("softmax(array([1000, 0, -1000]))", "f32[3]")), [1, 0, 0]);
    near(numbers(evaluated("log_softmax(array([1000, 0]))", "f32[2]")), [0, -1000]);
  });

  it("gelu is exact, and the approximation near it", () => {
    // Φ(1) = 0.8413447460685429
    near(numbers(evaluated("gelu(array([1, -1]))", "f32[2]")), [0.8413447460685429, -0.15865525393145707], 6);
    near(numbers(evaluated("gelu(array([1]), approximate: true)", "f32[1]")), [0.8411919906082768], 8);
  });
});

// What PyTorch 1.13 gives in float64: `F.selu(x)` and so on.
describe("activations, beside PyTorch's", () => {
  it.each([
    [
      "selu(x)",
      [
        -1.7258986281898945, -1.3658143533672527, -0.45566731537912203, 0, 0.4202803949421922, 2.101401974710961,
        7.354906911488364,
      ],
    ],
    ["celu(x, alpha: 0.7)", [-0.6976910459708426, -0.6178765837340244, -0.2439926597282611, 0, 0.4, 2, 7]],
    [
      "mish(x)",
      [
        -0.07259174079202535, -0.29809974216680674, -0.15113317713833455, 0, 0.2890305340723631, 1.9439589595339946,
        6.999988379809741,
      ],
    ],
    ["softsign(x)", [-0.8, -0.6, -0.23076923076923075, 0, 0.2857142857142857, 2 / 3, 0.875]],
    ["hard_tanh(x)", [-1, -1, -0.3, 0, 0.4, 1, 1]],
    ["hard_sigmoid(x)", [0, 0.25, 0.45, 0.5, 0.5666666666666667, 5 / 6, 1]],
    ["hard_silu(x)", [0, -0.375, -0.135, 0, 0.22666666666666668, 5 / 3, 7]],
    ["hard_shrink(x)", [-4, -1.5, 0, 0, 0, 2, 7]],
    ["soft_shrink(x)", [-3.5, -1, 0, 0, 0, 1.5, 6.5]],
    [
      "log_sigmoid(x)",
      [
        -4.0181499279178094,
        -1.7014132779827524,
        -0.8543552444685272,
        -Math.LN2,
        -0.5130152523999526,
        -0.1269280110429725,
        -0.0009114664537742447,
      ],
    ],
  ])("%s", (call, expected) => {
    const x = "x = array([-4, -1.5, -0.3, 0, 0.4, 2, 7])";
    near(numbers(evaluated(call, "f32[7]", x)), expected, 6);
  });

  it("glu halves the channels", () => {
    const halves = [
      0.4503734205038702, 0.2903758416355664, -0.6315313647648735, -0.20368304161161413, 0.11083652473341515,
    ];
    near(numbers(evaluated("glu(sin(reshape(arange(12) + 1, [3, 4])))", "f32[3, 2]")), [
      ...halves,
      -0.20073572121246439,
    ]);
  });

  it("prelu begins with a quarter", () => {
    near(numbers(evaluated("prelu(array([[-4, 2], [3, -1]]))", "f32[2, 2]")), [-1, 2, 3, -0.25]);
  });

  it("pools of sequences", () => {
    const x = "sin(reshape(arange(14) + 1, [1, 7, 2]))";
    const greatest = [0.8414709848078965, 0.9092974268256817, 0.6569865987187891, 0.9893582466233818];
    near(numbers(evaluated(`max_pool1d(${x}, 3, stride: 2)`, "f32[1, 3, 2]")), [
      ...greatest,
      0.4201670368266409,
      0.9906073556948704,
    ]);
    const means = [
      0.4912954964338819, 0.07624746575887675, -0.05360588929482738, -0.015619915627824091, 0.023038292469947375,
    ];
    near(numbers(evaluated(`average_pool1d(${x}, 3, stride: 2, padding: 1)`, "f32[1, 4, 2]")), [
      ...means,
      ...[-0.030411927422140977, -0.2899115848620313, 0.2270172188472177],
    ]);
    near(numbers(evaluated("global_max_pool1d(array([[[1, -5], [3, -2]]]))", "f32[1, 2]")), [3, -2]);
    near(numbers(evaluated("global_average_pool1d(array([[[1, -5], [3, -2]]]))", "f32[1, 2]")), [2, -3.5]);
  });

  it("pixel_shuffle makes squares of channels, and pixel_unshuffle channels of squares", () => {
    const x = "reshape(arange(48), [1, 2, 3, 8])";
    const rows = numbers(evaluated(`pixel_shuffle(${x}, 2)`, "f32[1, 4, 6, 2]"));
    expect(rows.slice(0, 16)).toEqual([0, 4, 1, 5, 8, 12, 9, 13, 16, 20, 17, 21, 2, 6, 3, 7]);
    expect(rows.slice(-4)).toEqual([42, 46, 43, 47]);
    near(numbers(evaluated(`pixel_unshuffle(pixel_shuffle(${x}, 2), 2) - ${x}`, "f32[1, 2, 3, 8]")), Array(48).fill(0));
  });
});

describe("arrays", () => {
  const x = "array([[1, 2, 3], [4, 5, 6]])";
  it.each([
    [`roll(${x}, 1)`, "f32[2, 3]", [3, 1, 2, 6, 4, 5]],
    [`roll(${x}, -1)`, "f32[2, 3]", [2, 3, 1, 5, 6, 4]],
    [`roll(${x}, 0)`, "f32[2, 3]", [1, 2, 3, 4, 5, 6]],
    [`roll(${x}, 1, axis: 0)`, "f32[2, 3]", [4, 5, 6, 1, 2, 3]],
    [`tile(${x}, 2)`, "f32[2, 6]", [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]],
    [`tile(${x}, 2, axis: 0)`, "f32[4, 3]", [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]],
    [`cumsum(${x})`, "f32[2, 3]", [1, 3, 6, 4, 9, 15]],
    [`cumsum(${x}, axis: 0)`, "f32[2, 3]", [1, 2, 3, 5, 7, 9]],
  ])("%s", (call, type, expected) => {
    expect(numbers(evaluated(call, type))).toEqual(expected);
  });
});

describe("noise", () => {
  /** What a block makes of a batch of ones while it trains, by the gradient of the loss with respect to a factor for each element. */
  const trained = (call: string, rows: number): number[] => {
    const program = `
optimizer take_gradient(w, g) = g
model M(x: f32[${rows}, 4, 5]) -> (y: f32[${rows}, 4, 5]) {
  param factor: f32[${rows}, 4, 5] ~ ones
  y = (x * factor) |> ${call}
}
train M {
  data: npy(x: "x.npy")
  loss: sum(y)
  optimizer: take_gradient
}`;
    const module = moduleOf(program);
    const inputs = { x: floats([rows, 4, 5], Array(rows * 20).fill(1)) };
    return numbers(runGraph(module, "train_step", inputs, initialOf(module)).updates.get("factor")!);
  };

  it("spatial_dropout takes whole channels, drop_path whole rows", () => {
    const rows = 200;
    const channels = trained("spatial_dropout(0.25)", rows);
    const paths = trained("drop_path(0.25)", rows);
    const at = (data: readonly number[], row: number, place: number, channel: number): number =>
      data[(row * 4 + place) * 5 + channel]!;
    for (let row = 0; row < rows; row++)
      for (let place = 0; place < 4; place++)
        for (let channel = 0; channel < 5; channel++) {
          expect(at(channels, row, place, channel)).toBe(at(channels, row, 0, channel));
          expect(at(paths, row, place, channel)).toBe(at(paths, row, 0, 0));
        }
    expect(new Set(channels)).toEqual(new Set([0, 1 / 0.75]));
    expect(new Set(paths)).toEqual(new Set([0, 1 / 0.75]));
    const mean = (data: readonly number[]): number => data.reduce((a, b) => a + b, 0) / data.length;
    // 1000 and 200 draws: four deviations of their means.
    expect(Math.abs(mean(channels) - 1)).toBeLessThan(4 * Math.sqrt(1 / 3 / 1000));
    expect(Math.abs(mean(paths) - 1)).toBeLessThan(4 * Math.sqrt(1 / 3 / 200));
  });

  it("is there while training only", () => {
    const call = (block: string): number[] => numbers(evaluated(`${block}(ones([2, 3]), 0.5)`, "f32[2, 3]"));
    for (const block of ["gaussian_noise", "spatial_dropout", "drop_path"])
      expect(call(block)).toEqual([1, 1, 1, 1, 1, 1]);
  });
});

describe("losses", () => {
  const rows = [
    [1, 2, 3],
    [0, 0, 0],
    [5, -5, 1],
  ].map(softmaxOf);
  const losses = [2, 0, 1].map((label, i) => -Math.log(rows[i]![label]!));

  it("cross_entropy is the mean of -log p", () => {
    const value = evaluated(`cross_entropy(${logits}, array([2, 0, 1], dtype: i32))`, "f32[]");
    near(numbers(value), [(losses[0]! + losses[1]! + losses[2]!) / 3]);
  });

  it("cross_entropy leaves out ignored rows, and is 0 when all are", () => {
    const some = evaluated(`cross_entropy(${logits}, array([2, -1, 1], dtype: i32), ignore: -1)`, "f32[]");
    near(numbers(some), [(losses[0]! + losses[2]!) / 2]);
    const none = evaluated(`cross_entropy(${logits}, array([-1, -1, -1], dtype: i32), ignore: -1)`, "f32[]");
    expect(numbers(none)).toEqual([0]);
  });

  it("cross_entropy takes probabilities as labels", () => {
    const value = evaluated(`cross_entropy(${logits}, array([[0, 0, 1], [0.5, 0.5, 0], [0, 1, 0]]))`, "f32[]");
    near(numbers(value), [(losses[0]! + Math.log(3) + losses[2]!) / 3]);
  });

  it("binary_cross_entropy stays finite for sure answers", () => {
    const value = evaluated("binary_cross_entropy(array([1000, -1000, 0]), array([1, 1, 0]))", "f32[]");
    near(numbers(value), [(0 + 1000 + Math.log(2)) / 3]);
  });

  it("huber, hinge and the penalties", () => {
    near(numbers(evaluated("huber(array([0.5, 3]), array([0, 0]))", "f32[]")), [(0.125 + 2.5) / 2]);
    near(numbers(evaluated("hinge(array([0.5, -2]), array([1, 1]))", "f32[]")), [(0.5 + 3) / 2]);
    const before = "param w: f32[2, 1] ~ constant(3)\nparam b: f32[4] ~ constant(2)\nx = array([[1, 1]]) @ w + b";
    near(numbers(evaluated("l2(0.5)", "f32[]", before)), [9]);
    near(numbers(evaluated("l1(0.5)", "f32[]", before)), [3]);
  });
});

// What PyTorch 1.13 gives in float64 for the same numbers: `F.cross_entropy(x, y, label_smoothing=0.1)` and so on.
describe("losses, beside PyTorch's", () => {
  const x = "array([[1, 2, 3], [0, 0, 0], [5, -5, 1]])";
  const y = "array([2, 0, 1], dtype: i32)";
  const z = "array([[2, -1, 0.5], [0.3, 1, -1], [1, 1, 1]])";
  const t = "array([[1, 0, 1], [0.5, 0.2, 0], [0, 1, 1]])";
  const w = "array([1, 2, 3])";

  it.each([
    [`cross_entropy(${x}, ${y}, smoothing: 0.1)`, 3.6970264766867507],
    [`cross_entropy(${x}, one_hot(${y}, 3), smoothing: 0.1)`, 3.6970264766867507],
    [`cross_entropy(${x}, ${y}, class_weights: ${w})`, 3.7263032004272403],
    [`cross_entropy(${x}, array([2, -1, 1], dtype: i32), class_weights: ${w}, ignore: -1)`, 4.251841382779066],
    [`cross_entropy(${x}, ${y}, row_weights: take(${w}, ${y}))`, 3.7263032004272403],
    [`binary_cross_entropy(${x}, ${t}, positive_weight: 3)`, 3.0254410199215296],
    [`poisson_loss(${x}, ${t})`, 20.481228192068013],
    [`kl_divergence(log_softmax(${x}), log_softmax(${z}))`, 0.8133794002224971],
    [`triplet_loss(${x}, ${z}, ${t})`, 1.5035740061099236],
    [`focal_loss(${x}, ${y})`, 3.517083735931522],
    [`cosine_loss(${x} + 0.1, ${z})`, 1 - (0.18452462900976208 + 0.11980845957463077 + 0.10486258199910993) / 3],
    [
      `ctc_loss(transpose(sin(reshape(arange(30), [5, 2, 3]) * 1.3), [1, 0, 2]), array([[1, 2], [2, 2]], dtype: i32),
         times: array([5, 4], dtype: i32), lengths: array([2, 1], dtype: i32))`,
      (1.5978327911877057 + 1.6659037853078007) / 2,
    ],
  ])("%s", (call, expected) => {
    near(numbers(evaluated(call, "f32[]")), [expected], 6);
  });

  it("special functions", () => {
    const c = "array([0.3, 1.7, 5.5, 12, -0.7, -3.2])";
    const gamma = [1.0957979948180756, -0.09580769740706588, 3.9578139676187165, 17.502307845873887];
    near(numbers(evaluated(`lgamma(${c})`, "f32[6]")), [...gamma, 1.4524729387568078, -0.37243213612996867], 8);
    const slope = [-3.502524222200133, 0.20854787487349372, 1.611093148581751, 2.4426616799758123];
    near(numbers(evaluated(`digamma(${c})`, "f32[6]")), [...slope, -2.073952793628704, 5.635370221172645], 8);
    const inverse = [-2.3267537655135153, -0.4769362762044699, 0.0008862271574665521, 0.2724627147267544];
    const e = "array([-0.999, -0.5, 1e-3, 0.3, 0.97])";
    near(numbers(evaluated(`erfinv(${e})`, "f32[5]")), [...inverse, 1.5344856217777179], 6);
  });

  it("solve exchanges rows where a pivot is 0", () => {
    const a = "array([[0, 2, 1], [1, 0, 3], [4, 1, 0]])";
    near(numbers(evaluated(`${a} @ solve(${a}, array([[1], [2], [3]]))`, "f32[3, 1]")), [1, 2, 3]);
  });
});

describe("positions", () => {
  it("rotary ones leave lengths, and products of equal distances", () => {
    const before =
      "x = sin(reshape(arange(24) + 1, [1, 6, 1, 4]))\nr = rotary_positions(x)\nk = rotary_positions(ones([1, 6, 1, 4]))";
    const lengths = numbers(evaluated("sum(r * r - x * x, axis: -1)", "f32[1, 6, 1]", before));
    near(lengths, [0, 0, 0, 0, 0, 0]);
    const products = numbers(evaluated("sum(k[0, 1:, 0] * k[0, :-1, 0], axis: -1)", "f32[5]", before));
    near(products, new Array<number>(5).fill(products[0]!));
  });

  it("sinusoids begin with 0 and 1, and turn by one radian a step", () => {
    const first = numbers(evaluated("sinusoidal_positions(3, 4)[:, :2]", "f32[3, 2]"));
    near(first, [0, 1, Math.sin(1), Math.cos(1), Math.sin(2), Math.cos(2)], 6);
  });
});

describe("schedules", () => {
  const at = (call: string): number[] => numbers(evaluated(call, "f32[4]", "s = array([0, 5, 10, 100])"));

  it("follow their formulas and hold their last value", () => {
    near(at("cosine_decay(s, 0.1, steps: 10)"), [0.1, 0.05, 0, 0]);
    near(at("cosine_decay(s, 0.1, steps: 10, end: 0.02)"), [0.1, 0.06, 0.02, 0.02]);
    near(at("exponential_decay(s, 0.1, rate: 0.5, steps: 5)"), [0.1, 0.05, 0.025, 0.1 * 0.5 ** 20]);
    near(at("step_decay(s, 0.1, rate: 0.1, steps: 10)"), [0.1, 0.1, 0.01, 0.1 ** 11]);
    near(at("constant_rate(s, 0.1)"), [0.1, 0.1, 0.1, 0.1]);
  });

  it("go as PyTorch's", () => {
    const twelve = (call: string): number[] => numbers(evaluated(call, "f32[12]", "s = arange(12)"));
    // OneCycleLR(total_steps=12), CosineAnnealingWarmRestarts(T_0=3, T_mult=2, eta_min=0.01), PolynomialLR(total_iters=6, power=2)
    near(
      twelve("one_cycle(s, 0.1, steps: 12)"),
      [
        0.004, 0.0349789654219583, 0.08792851591221287, 0.09944154354509119, 0.09330129698414118, 0.0811745653949763,
        0.06473789976951033, 0.046263710266697504, 0.028306099820869922, 0.01334775301888306, 0.0034566987425395223,
        4e-7,
      ],
      9,
    );
    near(
      twelve("warm_restarts(s, 0.1, steps: 3, factor: 2, end: 0.01)"),
      [
        0.1, 0.0775, 0.0325, 0.1, 0.09397114317029975, 0.0775, 0.055, 0.0325, 0.01602885682970026, 0.1,
        0.09846666218300808, 0.09397114317029975,
      ],
      9,
    );
    near(twelve("warm_restarts(s, 0.1, steps: 4)").slice(4, 8), twelve("warm_restarts(s, 0.1, steps: 4)").slice(0, 4));
    near(
      twelve("polynomial_decay(s, 0.1, steps: 6, power: 2)").slice(0, 7),
      [0.1, 0.06944444444444446, 0.04444444444444447, 0.025, 0.011111111111111117, 0.0027777777777777775, 0],
    );
  });

  it("warm up evenly", () => {
    near(
      numbers(evaluated("constant_rate(array([0, 1, 3, 4, 9]), 0.4, warmup: 4)", "f32[5]")),
      [0.1, 0.2, 0.4, 0.4, 0.4],
    );
  });
});

describe("initializers", () => {
  const initial = (shape: string, initializer: string, seed = 1): { shape: readonly number[]; data: number[] } => {
    const module = moduleOf(`model M(x: f32[N]) -> (y: f32[N]) {\nparam w: f32${shape} ~ ${initializer}\ny = x\n}`);
    const { shape: sizes, data } = initialOf(module, seed).get("w")!;
    return { shape: sizes, data: [...data] };
  };
  const deviation = (data: readonly number[]): number =>
    Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);

  it("glorot_uniform fills its interval", () => {
    const { data } = initial("[300, 200]", "glorot_uniform");
    const limit = Math.sqrt(6 / 500);
    expect(Math.max(...data)).toBeLessThanOrEqual(limit);
    expect(Math.min(...data)).toBeGreaterThanOrEqual(-limit);
    // The deviation of an even distribution; 60,000 numbers give it to half a percent.
    expect(deviation(data) / (limit / Math.sqrt(3))).toBeCloseTo(1, 2);
  });

  it("he_normal counts all inputs of a convolution", () => {
    const { data } = initial("[3, 3, 32, 64]", "he_normal");
    expect(deviation(data) / Math.sqrt(2 / 288)).toBeCloseTo(1, 1.5);
  });

  it.each(["[20, 20]", "[30, 7]", "[7, 30]", "[2, 3, 24]"])(
    "orthogonal %s has orthonormal rows or columns",
    (shape) => {
      const { shape: sizes, data } = initial(shape, "orthogonal");
      const columns = sizes.at(-1)!;
      const rows = data.length / columns;
      const [count, length] = rows > columns ? [columns, rows] : [rows, columns];
      const element = (i: number, j: number): number =>
        rows > columns ? data[j * columns + i]! : data[i * columns + j]!;
      for (let a = 0; a < count; a++)
        for (let b = 0; b < count; b++) {
          let dot = 0;
          for (let j = 0; j < length; j++) dot += element(a, j) * element(b, j);
          expect(dot).toBeCloseTo(a === b ? 1 : 0, 8);
        }
    },
  );

  it("differ by seed and by parameter, and repeat", () => {
    expect(initial("[8]", "normal", 1)).toEqual(initial("[8]", "normal", 1));
    expect(initial("[8]", "normal", 1)).not.toEqual(initial("[8]", "normal", 2));
    const two = "model M(x: f32[N]) -> (y: f32[N]) {\nparam v: f32[8] ~ normal\nparam w: f32[8] ~ normal\ny = x\n}";
    const globals = initialOf(moduleOf(two));
    expect(numbers(globals.get("v")!)).not.toEqual(numbers(globals.get("w")!));
  });
});

// ----------------------------------------------------------------------------------------------------- over batches

const withUpdates = (globals: Tensors, updates: Tensors): Tensors => new Map([...globals, ...updates]);

describe("metrics", () => {
  const program = (metric: string): string => `
model M(x: f32[N, 3]) -> (logits: f32[N, 3]) {
  param scale: f32[] ~ ones
  logits = x * scale
}
train M {
  target label: i32[N]
  data: rows(x: [[0, 0, 0]], label: [0])
  loss: cross_entropy(logits, label)
  optimizer: sgd
  metrics: ${metric}
}`;
  const batches = [
    { x: [3, 0, 0, 0, 3, 0, 0, 0, 3], label: [0, 1, 1] },
    { x: [3, 0, 0, 3, 0, 0], label: [0, 2] },
  ];

  function measure(metric: string): Record<string, number[]> {
    const module = moduleOf(program(metric));
    let globals: Tensors = initialOf(module);
    for (const { x, label } of batches) {
      const inputs = { x: floats([label.length, 3], x), label: integers([label.length], label) };
      globals = withUpdates(globals, runGraph(module, "eval_step", inputs, globals).updates);
    }
    const { outputs } = runGraph(module, "metrics", {}, globals);
    return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, numbers(tensor)]));
  }

  // Said: 0 1 2 0 0. True: 0 1 1 0 2.
  it("accuracy counts over all rows", () => {
    expect(measure("accuracy(logits, label)").accuracy).toEqual([3 / 5]);
    expect(measure("accuracy(logits, label, ignore: 2)").accuracy).toEqual([3 / 4]);
  });

  it("precision, recall and f1 are means over the classes", () => {
    const { precision, recall, f1 } = measure("precision(logits, label), recall(logits, label), f1(logits, label)");
    near(precision!, [(2 / 3 + 1 + 0) / 3]);
    near(recall!, [(1 + 1 / 2 + 0) / 3]);
    near(f1!, [(4 / 5 + 2 / 3 + 0) / 3]);
  });

  it("balanced accuracy, correlation, overlap and calibration", () => {
    near(measure("balanced_accuracy(logits, label)").balanced_accuracy!, [(1 + 1 / 2 + 0) / 3]);
    // (3 · 5 - (3·2 + 1·2 + 1·1)) / √((25 - 11) (25 - 9))
    near(measure("matthews(logits, label)").matthews!, [(15 - 9) / Math.sqrt(14 * 16)]);
    near(measure("intersection_over_union(logits, label)").intersection_over_union!, [(2 / 3 + 1 / 2 + 0) / 3]);
    near(measure("top_k_accuracy(logits, label, k: 1)").top_k_accuracy!, [3 / 5]);
    near(measure("top_k_accuracy(logits, label, k: 3)").top_k_accuracy!, [1]);
    const sure = softmaxOf([3, 0, 0])[0]!;
    near(measure("calibration_error(logits, label)").calibration_error!, [sure - 3 / 5]);
  });

  it("auc counts pairs in the right order", () => {
    // The first class scores 3 0 0 3 3 and is the label in rows 1 and 4: of six pairs four are right, and two equal. The last one
    // scores 0 0 3 0 0 and is the label in row 5: of four pairs three are equal, and one is wrong.
    near(measure("auc(logits[:, 0], cast(label == 0, f32))").auc!, [5 / 6]);
    near(measure("auc(logits[:, 2], cast(label == 2, f32))").auc!, [3 / 8]);
  });

  it("errors relative and squared", () => {
    // Predictions 3 0 0 3 3 for 0 1 1 0 2, and for 1 2 2 1 3.
    const call =
      "root_mean_squared_error(logits[:, 0], cast(label, f32)), mean_absolute_percentage_error(logits[:, 0], cast(label, f32) + 1)";
    const { root_mean_squared_error, mean_absolute_percentage_error } = measure(call);
    near(root_mean_squared_error!, [Math.sqrt((9 + 1 + 1 + 9 + 1) / 5)]);
    near(mean_absolute_percentage_error!, [(2 + 1 + 1 + 2 + 0) / 5]);
  });

  it("confusion has true classes as rows", () => {
    expect(measure("confusion(logits, label)").confusion).toEqual([2, 0, 0, 0, 1, 1, 1, 0, 0]);
  });

  it("losses are averaged over the rows, not the batches", () => {
    const right = -Math.log(softmaxOf([3, 0, 0])[0]!);
    const wrong = -Math.log(softmaxOf([3, 0, 0])[1]!);
    const { loss, cross_entropy, perplexity } = measure("cross_entropy(logits, label), perplexity(logits, label)");
    const mean = (3 * right + 2 * wrong) / 5;
    near(loss!, [mean]);
    near(cross_entropy!, [mean]);
    near(perplexity!, [Math.exp(mean)]);
  });

  it("metrics of one name are numbered", () => {
    expect(Object.keys(measure("accuracy(logits, label), accuracy(logits, label, ignore: 2)"))).toEqual([
      "loss",
      "accuracy",
      "accuracy_1",
    ]);
  });
});

describe("running statistics", () => {
  const program = (block: string): string => `
model M(x: f32[N, 2]) -> (y: f32[N, 2]) {
  param scale: f32[] ~ ones
  y = ${block}(x) * scale
}
train M {
  data: rows(x: [[0, 0]])
  loss: mean(y)
  optimizer: sgd(lr: 0)
}`;
  const batches = [
    [1, 10, 2, 20, 6, 60],
    [4, 7, 0, 7],
  ];

  function trained(block: string): Tensors {
    const module = moduleOf(program(block));
    let globals: Tensors = initialOf(module);
    for (const data of batches) {
      const inputs = { x: floats([data.length / 2, 2], data) };
      globals = withUpdates(globals, runGraph(module, "train_step", inputs, globals).updates);
    }
    return globals;
  }

  it("normalize merges batches exactly", () => {
    const globals = trained("normalize");
    near(numbers(globals.get("normalize.count")!), [5]);
    near(numbers(globals.get("normalize.mean")!), [13 / 5, 104 / 5]);
    near(numbers(globals.get("normalize.distance")!), [57 - 169 / 5, 4198 - 104 ** 2 / 5], 8);
    const module = moduleOf(program("normalize"));
    const { outputs } = runGraph(module, "infer", { x: floats([1, 2], [13 / 5, 0]) }, globals);
    near(numbers(outputs.y!), [0, -104 / 5 / Math.sqrt((4198 - 104 ** 2 / 5) / 5)]);
  });

  it("batch_norm keeps running means of mean and variance", () => {
    const globals = trained("batch_norm");
    near(numbers(globals.get("batch_norm.mean")!), [0.99 * 0.01 * 3 + 0.01 * 2, 0.99 * 0.01 * 30 + 0.01 * 7]);
    near(numbers(globals.get("batch_norm.variance")!), [
      0.99 * (0.99 + 0.01 * (14 / 2)) + 0.01 * 8,
      0.99 * (0.99 + 0.01 * (1400 / 2)),
    ]);
  });
});
