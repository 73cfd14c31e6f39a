// The drawing pad: strokes by mouse, pen, finger or keyboard, on a canvas whose alpha is the ink.

export interface Pad {
  /** Ink from 0 to 1, in rows, and how many points a side has. */
  ink(): { readonly ink: Float32Array; readonly size: number };
  clear(): void;
}

/** Width of a stroke, in points of the canvas: about two points of the picture that the network gets. */
const stroke = 24;
/** Points that an arrow key moves by; with shift. */
const [step, fineStep] = [14, 5];

const arrows: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** `changed` is called whenever there is other ink. */
export function createPad(element: HTMLElement, changed: () => void): Pad {
  const canvas = element.querySelector("canvas");
  const cursor = element.querySelector<HTMLElement>(".cursor");
  const hint = element.querySelector<HTMLElement>(".hint");
  const context = canvas?.getContext("2d", { willReadFrequently: true });
  if (!canvas || !cursor || !hint || !context) throw new TypeError("the pad lacks its parts");
  const size = canvas.width;
  element.tabIndex = 0;
  let last: readonly [number, number] | undefined;
  /** Of the keyboard. */
  let [x, y, isDown] = [size / 2, size / 2, false];

  const draw = (to: readonly [number, number]): void => {
    const [fromX, fromY] = last ?? to;
    context.strokeStyle = getComputedStyle(element).color;
    context.lineWidth = stroke;
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(...to);
    context.stroke();
    last = to;
    hint.hidden = true;
    changed();
  };
  const pointOf = (event: PointerEvent): readonly [number, number] => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [((event.clientX - left) / width) * size, ((event.clientY - top) / height) * size];
  };
  const showCursor = (): void => {
    cursor.hidden = false;
    cursor.style.left = `${(x / size) * 100}%`;
    cursor.style.top = `${(y / size) * 100}%`;
    cursor.classList.toggle("down", isDown);
  };
  const clear = (): void => {
    context.clearRect(0, 0, size, size);
    hint.hidden = false;
    [last, isDown] = [undefined, false];
    changed();
  };

  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    cursor.hidden = true;
    last = undefined;
    draw(pointOf(event));
  });
  element.addEventListener("pointermove", (event) => {
    if (!element.hasPointerCapture(event.pointerId)) return;
    // What the browser saw between two frames, too: quick strokes stay round.
    for (const part of event.getCoalescedEvents?.() ?? []) draw(pointOf(part));
    draw(pointOf(event));
  });
  element.addEventListener("keydown", (event) => {
    const arrow = arrows[event.key];
    if (arrow) {
      const by = event.shiftKey ? fineStep : step;
      x = Math.min(Math.max(x + arrow[0] * by, 0), size);
      y = Math.min(Math.max(y + arrow[1] * by, 0), size);
      if (isDown) draw([x, y]);
    } else if (event.key === " ") {
      isDown = !isDown;
      last = undefined;
      if (isDown) draw([x, y]);
    } else if (event.key === "Delete" || event.key === "Backspace") clear();
    else return;
    event.preventDefault();
    showCursor();
  });
  element.addEventListener("blur", () => {
    cursor.hidden = true;
    isDown = false;
  });

  return {
    ink() {
      const { data } = context.getImageData(0, 0, size, size);
      return { ink: Float32Array.from({ length: size * size }, (_, i) => data[4 * i + 3]! / 255), size };
    },
    clear,
  };
}
