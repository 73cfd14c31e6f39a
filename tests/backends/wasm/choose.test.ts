// Whether threads share a run is decided from times alone: here from made-up ones.

import { describe, expect, it } from "vitest";
import { createChooser, type Way } from "../../../src/backends/wasm/threads/choose.ts";

/** What the runs were, and how long they took together. */
function runs(count: number, time: (way: Way, run: number) => number) {
  const chooser = createChooser();
  const ways: Way[] = [];
  let total = 0;
  for (let run = 0; run < count; run++) {
    const way = chooser.next();
    const took = time(way, run);
    ways.push(way);
    total += took;
    chooser.took(took);
  }
  return { ways, total };
}

const shareOf = (ways: readonly Way[], way: Way): number => ways.filter((x) => x === way).length / ways.length;

describe("the choice between all threads and one", () => {
  it("begins with all, and tries one thread now and then", () => {
    const { ways } = runs(40, (way) => (way === "shared" ? 1 : 3));
    expect(ways.slice(0, 8)).toEqual(new Array(8).fill("shared"));
    expect(ways.slice(8, 11)).toEqual(new Array(3).fill("alone"));
    expect(ways.slice(11)).toEqual(new Array(29).fill("shared"));
  });

  it("loses little by trials where threads are faster", () => {
    const { total } = runs(5000, (way) => (way === "shared" ? 1 : 3.5));
    expect(total / 5000).toBeLessThan(1.02);
  });

  it.each([1.31, 2, 20])("is at most a tenth slower than one thread where threads take %d times as long", (slower) => {
    const { total, ways } = runs(2000, (way) => (way === "shared" ? slower : 1));
    expect(shareOf(ways, "alone")).toBeGreaterThan(0.97);
    expect((total - 8 * slower) / 2000).toBeLessThan(slower === 20 ? 1.3 : 1.1);
  });

  it("takes threads again when the machine is free again", () => {
    const { ways } = runs(3000, (way, run) => (way === "alone" ? 3 : run < 1000 ? 4 : 1));
    expect(shareOf(ways.slice(200, 1000), "alone")).toBeGreaterThan(0.95);
    expect(shareOf(ways.slice(2000), "shared")).toBeGreaterThan(0.95);
  });

  it("does not go to and fro for noise", () => {
    // The same for both ways, but for some hundredths up and down.
    const { ways } = runs(4000, (_, run) => 1 + 0.03 * Math.sin(run * 12.9898));
    const changes = ways.filter((way, run) => run > 0 && way !== ways[run - 1]).length;
    expect(changes).toBeLessThan(40);
  });
});
