import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listsFromTensor, readJsonTensors, tensorFromLists, writeJsonTensors } from "../../src/formats/json.ts";
import { tensorOf } from "./tensors.ts";

describe("json", () => {
  it("reads nested lists, with the element type that is asked for", () => {
    const lists = [
      [0, 1, 2],
      [3, 4, 5],
    ];
    expect(tensorFromLists(lists, "f", "x")).toEqual({
      dtype: "f32",
      shape: [2, 3],
      data: Float32Array.of(0, 1, 2, 3, 4, 5),
    });
    expect(tensorFromLists(lists, "f", "x", "i32").data).toEqual(Int32Array.of(0, 1, 2, 3, 4, 5));
    expect(tensorFromLists(true, "f", "x")).toEqual({ dtype: "bool", shape: [], data: Uint8Array.of(1) });
    expect(tensorFromLists([[], []], "f", "x").shape).toEqual([2, 0]);
  });

  it("writes floats that read back to the same bits, as short as they can be", () => {
    expect(listsFromTensor({ dtype: "f32", shape: [2], data: Float32Array.of(0.1, -1e-7) })).toEqual([0.1, -1e-7]);
    // An axis of size 0 hides the sizes of those behind it from nested lists.
    const solid = tensorOf("f32").filter(({ shape }) => !shape.includes(0));
    fc.assert(
      fc.property(solid, (tensor) => {
        // JSON has no negative zero.
        const expected = { ...tensor, data: tensor.data.map((v) => v + 0) };
        expect(readJsonTensors(writeJsonTensors({ y: tensor }), "f", "").y).toEqual(expected);
      }),
    );
  });

  const broken: [string, string, string][] = [
    ["no JSON", "{x: 1}", "is not JSON"],
    ["ragged lists", '{"x": [[1, 2], [3]]}', "x[1] is a list of 1, where its siblings are lists of 2"],
    ["a number among lists", '{"x": [[1], 2]}', 'x[1] is "2", where its siblings are lists of 1'],
    ["a list among numbers", '{"x": [1, [2]]}', "x[1] is a list of 1, where a number is expected"],
    ["a text", '{"x": ["1"]}', 'x[0] is "1", where a number is expected'],
    ["null", '{"x": null}', 'x is "null", where a number is expected'],
    ["numbers and booleans", "[1, true]", "mixes numbers with true and false"],
    ["10,000 brackets", `${"[".repeat(10_000)}${"]".repeat(10_000)}`, "more than 64 axes"],
    ["10,000 brackets beside a number", `[1, ${"[".repeat(10_000)}${"]".repeat(10_000)}]`, "value[1] is a list of 1"],
  ];
  it.each(broken)("refuses %s", (_, text, message) => {
    expect(() => readJsonTensors(text, "in.json", "value")).toThrow(message);
  });

  it("does not round where integers are wanted", () => {
    expect(() => tensorFromLists([0.5], "f", "x", "i32")).toThrow("x has values that are no 32-bit integers");
    expect(() => tensorFromLists([300], "f", "x", "u8")).toThrow("element 0 is 300, which is no u8");
  });
});
