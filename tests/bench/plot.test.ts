import { describe, expect, it } from "vitest";
import { plot } from "../../bench/plot.ts";

const panel = (title: string) => ({
  title,
  lines: [
    {
      name: "one",
      points: [
        [1, 0.1],
        [2, 0.2],
        [4, 0.4],
      ] as const,
    },
    {
      name: "other",
      points: [
        [1, 1],
        [4, 10],
      ] as const,
    },
  ],
});

describe("plots of cost against size", () => {
  it("have a point for each measurement, on logarithmic axes", () => {
    const text = plot([panel("a < b")]);
    expect(text.match(/<circle/g)).toHaveLength(5);
    expect(text).toContain("a &lt; b");
    const [, places] = /polyline points="([^"]*)"/.exec(text)!;
    const [first, second, third] = places!.split(" ").map((place) => place.split(",").map(Number));
    // Twice the size and twice the cost is one step, wherever it begins.
    expect(second![0]! - first![0]!).toBeCloseTo(third![0]! - second![0]!, 0);
    expect(first![1]! - second![1]!).toBeCloseTo(second![1]! - third![1]!, 0);
    for (const tick of [">1<", ">2<", ">4<", ">0.1 ms<", ">1 ms<", ">10 ms<"]) expect(text).toContain(tick);
  });

  it("stand two in a row", () => {
    expect(plot([panel("a"), panel("b"), panel("c")])).toMatch(/<svg [^>]*width="880" height="600"/);
  });
});
