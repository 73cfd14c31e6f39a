// Pages hold what they were given, and nothing from outside can end their script or their text.

import { expect, it } from "vitest";
import { explanationPage } from "../../src/report/explanation.ts";
import { modelGraphSvg } from "../../src/report/model-graph.ts";
import { trainingPage } from "../../src/report/training.ts";

const evil = "</script><img src=x onerror=alert(1)>&\"'";

it("texts of users stand as text, also in the data", () => {
  const page = explanationPage({ model: evil, method: "saliency", doc: evil, shape: [1], classes: [evil], rows: [] });
  expect(page).not.toContain("<img");
  expect(page.match(/<\/script>/g)).toHaveLength(2);
});

it("the report has a section for what there is, and none for what there is not", () => {
  const graph = { boxes: [{ id: "a", label: evil, kind: "input" }], arrows: [] };
  const small = trainingPage(
    { model: "M", summary: [["loss", "1"]], epochs: [{ epoch: 1, metrics: { loss: 1 } }], graph },
    { script: "", style: "" },
  );
  const titles = (page: string): string[] => [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title!);
  expect(titles(small)).toEqual(["Curves", "The model"]);
  expect(small).not.toContain("<img");
  const predictions = {
    of: "test data",
    rows: 3,
    confusion: [
      [1, 1],
      [0, 1],
    ],
    shape: [2],
    wrong: [{ row: 4, values: [1, 2], label: 0, said: 1, scores: [0.1, 0.9] }],
  };
  const whole = trainingPage(
    { model: "M", summary: [], epochs: [{ epoch: 1, metrics: {}, seconds: 1, weights: {} }], graph, predictions },
    { script: "", style: "" },
  );
  expect(titles(whole)).toEqual([
    "Curves",
    "Confusion, 3 rows of the test data",
    "Wrong, and most sure",
    "Weights and gradients",
    "The model",
    "Time and memory",
  ]);
  // Class 0: said once and rightly, found in one of two rows.
  expect(whole).toContain("<td>0</td><td>100.0 %</td><td>50.0 %</td><td>66.7 %</td><td>2</td>");
});

it("draws boxes above what they flow into", () => {
  const svg = modelGraphSvg(
    [
      { id: "a", label: "first", kind: "input" },
      { id: "b", label: "second", kind: "output", detail: "16" },
    ],
    [{ from: "a", to: "b", label: "f32[N]" }],
  );
  const heights = [...svg.matchAll(/<rect x="[\d.]+" y="([\d.]+)"/g)].map(([, y]) => Number(y));
  expect(heights[0]!).toBeLessThan(heights[1]!);
  expect(svg).toContain("f32[N]");
});
