// Other values for a program's constants.

import { describe, expect, it } from "vitest";
import { withConstants } from "../../src/dsl/settings.ts";

const file = {
  name: "m.dlm",
  text: "const lr = 1e-3   // slow\nconst units = [16, 32]\nmodel M(x: f32[N]) -> (y: f32[N]) {\n  y = lr * x\n}\n",
};

describe("withConstants", () => {
  it("puts values where the old ones stood, and leaves the rest of the text", () => {
    const changed = withConstants(file, { units: "[64]", lr: "0.5" });
    expect(changed).toEqual({ ...file, text: file.text.replace("1e-3", "0.5").replace("[16, 32]", "[64]") });
    expect(withConstants(file, {})).toEqual(file);
  });

  it("says which constants there are", () => {
    expect(withConstants(file, { l: "1" })).toMatchObject({ unknown: "l", help: "its constants are lr, units" });
    expect(withConstants(file, { unit: "1" })).toMatchObject({ help: expect.stringContaining("did you mean units?") });
    expect(withConstants({ ...file, text: "" }, { lr: "1" })).toMatchObject({ help: "declare it: const lr = 1" });
  });

  it("leaves a program with mistakes to those who report them", () => {
    const broken = { ...file, text: "const lr = (" };
    expect(withConstants(broken, { lr: "1" })).toEqual(broken);
  });
});
