// How the ten digits are written: for each several styles, each a list of strokes in the unit square, x to the right and
// y down. Curves are points of arcs; digits.ts distorts and draws them.

export type Stroke = readonly (readonly [x: number, y: number])[];

const degrees = Math.PI / 180;

/** Points of an ellipse around (x, y), from one angle to another in degrees; 0 is right, 90 is down. */
function arc(x: number, y: number, rx: number, ry: number, from: number, to: number): Stroke {
  const steps = Math.max(4, Math.ceil(Math.abs(to - from) / 20));
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = (from + ((to - from) * i) / steps) * degrees;
    return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)] as const;
  });
}

/** A straight way through points, with points between, so that distortion bends it. */
function path(...points: Stroke): Stroke {
  const steps = 4;
  return points.flatMap((end, i) => {
    const start = points[i - 1];
    if (!start) return [end];
    return Array.from({ length: steps }, (_, step) => {
      const t = (step + 1) / steps;
      return [start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])] as const;
    });
  });
}

const join = (...parts: readonly Stroke[]): Stroke => parts.flat();

/** One stroke that crosses itself in the middle. */
const eight: Stroke = Array.from({ length: 29 }, (_, i) => {
  const t = (2 * Math.PI * i) / 28;
  return [0.5 + 0.38 * Math.sin(2 * t), 0.5 - 0.5 * Math.cos(t)] as const;
});

type Style = readonly Stroke[];

/** Styles of each digit, 0 to 9. */
export const glyphs: readonly (readonly Style[])[] = [
  [[arc(0.5, 0.5, 0.45, 0.5, -90, 270)], [arc(0.5, 0.5, 0.32, 0.5, -70, 300)], [arc(0.5, 0.5, 0.42, 0.44, -120, 240)]],
  [
    [path([0.5, 0], [0.5, 1])],
    [path([0.25, 0.22], [0.55, 0], [0.55, 1])],
    [path([0.28, 0.2], [0.52, 0], [0.52, 1]), path([0.25, 1], [0.8, 1])],
  ],
  [
    [join(arc(0.5, 0.28, 0.38, 0.28, -170, 40), path([0.7, 0.55], [0.1, 1], [0.95, 1]))],
    [
      join(
        arc(0.48, 0.3, 0.36, 0.3, -160, 50),
        path([0.6, 0.62], [0.15, 0.95]),
        path([0.3, 0.88], [0.6, 1], [0.95, 0.9]),
      ),
    ],
    [
      join(
        arc(0.5, 0.27, 0.4, 0.27, 180, 395),
        arc(0.28, 0.85, 0.18, 0.14, -30, -330),
        path([0.5, 0.95], [0.95, 0.97]),
      ),
    ],
  ],
  [
    [join(arc(0.45, 0.26, 0.36, 0.26, -160, 90), arc(0.45, 0.75, 0.42, 0.25, -90, 160))],
    [join(path([0.1, 0.02], [0.85, 0.02], [0.45, 0.4]), arc(0.45, 0.7, 0.42, 0.3, -90, 150))],
    [join(arc(0.42, 0.24, 0.36, 0.24, -140, 80), path([0.35, 0.48]), arc(0.42, 0.73, 0.45, 0.27, -80, 145))],
  ],
  [
    [path([0.35, 0], [0.08, 0.6], [0.95, 0.6]), path([0.7, 0.25], [0.66, 1])],
    [path([0.68, 1], [0.68, 0], [0.05, 0.66], [0.97, 0.66])],
    [
      join(path([0.15, 0.02], [0.15, 0.35]), arc(0.4, 0.38, 0.25, 0.18, 180, 60), path([0.85, 0.48])),
      path([0.85, 0], [0.82, 1]),
    ],
  ],
  [
    [path([0.88, 0], [0.25, 0]), join(path([0.25, 0], [0.2, 0.42]), arc(0.42, 0.68, 0.44, 0.32, -120, 145))],
    [join(path([0.9, 0.02], [0.22, 0.02], [0.18, 0.45], [0.5, 0.38]), arc(0.48, 0.69, 0.4, 0.31, -80, 130))],
    [join(arc(0.6, 0.1, 0.3, 0.1, -20, -170), path([0.22, 0.44]), arc(0.42, 0.7, 0.42, 0.28, -110, 150))],
  ],
  [
    [join(path([0.72, 0], [0.3, 0.35], [0.1, 0.7]), arc(0.48, 0.72, 0.38, 0.27, 180, -180))],
    [join(arc(0.62, 0.5, 0.52, 0.5, -75, -180), arc(0.48, 0.72, 0.37, 0.28, 180, -170))],
    [join(path([0.45, 0], [0.15, 0.6]), arc(0.46, 0.74, 0.34, 0.26, 180, -200))],
  ],
  [
    [path([0.05, 0.03], [0.92, 0.03], [0.4, 1])],
    [path([0.08, 0.05], [0.9, 0.05], [0.42, 1]), path([0.3, 0.5], [0.85, 0.5])],
    [join(path([0.08, 0.16], [0.1, 0.02], [0.9, 0.04]), arc(0.95, 0.95, 0.5, 0.85, -110, -178))],
  ],
  [
    [arc(0.5, 0.25, 0.33, 0.25, -90, 270), arc(0.5, 0.75, 0.4, 0.25, -90, 270)],
    [join(arc(0.5, 0.25, 0.36, 0.25, -20, -270), arc(0.5, 0.75, 0.38, 0.25, -90, 270), path([0.83, 0.15]))],
    [eight],
  ],
  [
    [arc(0.45, 0.28, 0.38, 0.28, 0, -360), path([0.84, 0.2], [0.78, 1])],
    [join(arc(0.46, 0.28, 0.36, 0.28, -20, -370), arc(0.3, 0.4, 0.54, 0.6, -10, 80))],
    [join(arc(0.48, 0.27, 0.36, 0.27, 10, -350), path([0.84, 0.3], [0.45, 1]))],
  ],
];
