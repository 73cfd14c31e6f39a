// What the page shows of an answer: ten bars, a sentence, and the picture with the points that decide.

const colour = [255, 106, 61] as const;

/** Makes the ten rows; gives what sets them. Without probabilities they are empty. */
export function createBars(list: HTMLElement): (probs: Float32Array | undefined) => void {
  const rows = Array.from({ length: 10 }, (_, digit) => {
    const row = document.createElement("li");
    row.innerHTML = `<span>${digit}</span><div class="track"><div class="bar"></div></div><span class="share">–</span>`;
    list.append(row);
    return row;
  });
  return (probs) => {
    const best = probs ? winner(probs) : -1;
    rows.forEach((row, digit) => {
      const share = probs?.[digit];
      row.classList.toggle("best", digit === best);
      row.querySelector<HTMLElement>(".bar")!.style.width = `${(share ?? 0) * 100}%`;
      row.querySelector(".share")!.textContent = share === undefined ? "–" : percent(share);
    });
  };
}

export function sentence(probs: Float32Array | undefined): string {
  if (!probs) return "Nothing drawn yet.";
  const best = winner(probs);
  const sure = probs[best]!;
  return `${sure > 0.9 ? "It is" : sure > 0.5 ? "It is probably" : "It may be"} a ${best} (${percent(sure)}).`;
}

const winner = (probs: Float32Array): number => probs.indexOf(Math.max(...probs));
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** The picture in grey, and over it in colour what decides, as a share of the most decisive point. Both are [28, 28]. */
export function showHeat(
  canvas: HTMLCanvasElement,
  picture: Float32Array | undefined,
  heat: Float32Array | undefined,
): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const image = context.createImageData(28, 28);
  const most = heat ? Math.max(...heat) : 0;
  for (let i = 0; i < 28 * 28; i++) {
    const grey = 24 + 200 * (picture?.[i] ?? 0);
    const share = heat && most > 0 ? heat[i]! / most : 0;
    const mixed = colour.map((part) => grey + (part - grey) * share);
    image.data.set([...mixed, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}
