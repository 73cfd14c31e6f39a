// Convolutions on which the generated tests run the operation: strides, padding of either sign, dilations, groups, layouts.

import type { Sample } from "../op.ts";
import type { ConvolutionAttributes } from "./convolution-layout.ts";
import { normal } from "./samples.ts";

const sample = (
  lhs: readonly number[],
  kernel: readonly number[],
  given: Partial<ConvolutionAttributes> & { readonly layout: string },
): Sample<ConvolutionAttributes> => {
  const ones = Array.from({ length: lhs.length - 2 }, () => 1);
  const defaults = { strides: ones, padding: ones.map(() => [0, 0]), lhs_dilation: ones, rhs_dilation: ones };
  return {
    inputs: [normal(...lhs), normal(...kernel)],
    attributes: { ...defaults, groups: 1, batch_groups: 1, ...given },
  };
};
const nhwc = "b01f,01io->b01f";

export const convolutionSamples: readonly Sample<ConvolutionAttributes>[] = [
  sample([2, 4, 5, 3], [3, 3, 3, 2], { layout: nhwc }),
  sample([1, 1, 1, 2], [1, 1, 2, 3], { layout: nhwc }),
  sample([2, 6, 5, 2], [3, 2, 2, 3], {
    layout: nhwc,
    strides: [2, 1],
    padding: [
      [1, 1],
      [0, 1],
    ],
  }),
  sample([1, 7, 7, 2], [3, 3, 2, 2], {
    layout: nhwc,
    rhs_dilation: [2, 3],
    padding: [
      [2, 1],
      [3, 3],
    ],
  }),
  sample([1, 3, 4, 2], [3, 2, 2, 3], {
    layout: nhwc,
    lhs_dilation: [2, 3],
    padding: [
      [2, 2],
      [1, 1],
    ],
  }),
  sample([1, 7, 6, 2], [2, 2, 2, 3], {
    layout: nhwc,
    padding: [
      [-1, -2],
      [-2, 1],
    ],
    strides: [2, 2],
  }),
  sample([1, 6, 6, 1], [2, 2, 1, 1], {
    layout: nhwc,
    strides: [3, 4],
    padding: [
      [4, 3],
      [3, 5],
    ],
  }),
  sample([1, 4, 4, 6], [2, 2, 2, 6], { layout: nhwc, groups: 3 }),
  sample([1, 5, 4, 4], [3, 3, 1, 4], {
    layout: nhwc,
    groups: 4,
    strides: [2, 1],
    padding: [
      [1, 1],
      [1, 1],
    ],
  }),
  sample([1, 4, 4, 3], [2, 2, 1, 6], { layout: nhwc, groups: 3, rhs_dilation: [1, 2] }),
  sample([6, 4, 4, 2], [2, 2, 2, 6], {
    layout: nhwc,
    batch_groups: 3,
    padding: [
      [1, 0],
      [0, 0],
    ],
  }),
  sample([2, 3, 6], [4, 3, 3], { layout: "bf0,oi0->bf0", strides: [2], padding: [[1, 0]] }),
  sample([2, 3, 5, 4], [4, 3, 2, 2], { layout: "bf01,oi01->b01f", strides: [2, 1] }),
  sample([1, 3, 4, 3, 2], [2, 3, 2, 2, 3], { layout: "b012f,012io->bf012", strides: [1, 2, 1] }),
  sample([0, 4, 4, 2], [3, 3, 2, 2], { layout: nhwc }),
];
