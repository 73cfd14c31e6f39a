// The page: when the drawing changes, the chosen engine is asked, at most once a frame, and its answer is shown.

import { type Answer, engines, measure } from "./engines.ts";
import { normalize } from "./image.ts";
import { createPad } from "./pad.ts";
import { createBars, sentence, showHeat } from "./view.ts";

const find = <T extends HTMLElement>(selector: string, kind: new () => T): T => {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new TypeError(`the page has no ${selector}`);
  return found;
};
const [verdict, message] = [find("#verdict", HTMLElement), find("#message", HTMLElement)];
const heat = find("#heat", HTMLCanvasElement);
const fieldset = find("#engines", HTMLElement);
const setBars = createBars(find("#bars", HTMLElement));

let answer: ((image: Float32Array) => Promise<Answer>) | undefined;
let chosen = "";
const times = new Map<string, HTMLElement>();
let isAsked = false;

const pad = createPad(find("#pad", HTMLElement), ask);
find("#clear", HTMLButtonElement).addEventListener("click", pad.clear);

/** Asks in the next frame, if nobody has asked since the last one. */
function ask(): void {
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(async () => {
    isAsked = false;
    const [picture, by, name] = [pictureNow(), answer, chosen];
    const found = picture && by ? await by(picture) : undefined;
    // Meanwhile another engine may have been chosen, which is asked by itself.
    if (by !== answer) return;
    setBars(found?.probs);
    showHeat(heat, picture, found?.heat);
    verdict.textContent = sentence(found?.probs);
    verdict.dataset.engine = name;
  });
}

function pictureNow(): Float32Array | undefined {
  const { ink, size } = pad.ink();
  return normalize(ink, size);
}

/** Loads an engine and takes it; says so where it cannot run here. */
async function choose(name: string): Promise<boolean> {
  const engine = engines[name];
  if (!engine) return false;
  message.textContent = `Loading ${engine.title} …`;
  try {
    const started = await engine.start();
    const blank = pictureNow() ?? new Float32Array(28 * 28);
    // The first answers are slower: code is compiled, and memory is taken.
    await started(blank);
    await measure(started, blank);
    const time = await measure(started, blank);
    times.get(name)!.textContent = `${time < 0.1 ? time.toFixed(3) : time.toFixed(2)} ms`;
    [answer, chosen] = [started, name];
    message.textContent = "";
    ask();
    return true;
  } catch (error) {
    message.textContent = `${engine.title} cannot run here: ${error instanceof Error ? error.message : String(error)}`;
    return false;
  }
}

for (const [name, { title }] of Object.entries(engines)) {
  const label = document.createElement("label");
  label.innerHTML = `<input type="radio" name="engine" value="${name}"><span>${title}</span><span class="time"></span>`;
  const input = label.querySelector("input")!;
  times.set(name, label.querySelector<HTMLElement>(".time")!);
  input.addEventListener("change", async () => {
    if (await choose(name)) return;
    input.disabled = true;
    const before = fieldset.querySelector<HTMLInputElement>(`[value="${chosen}"]`);
    if (before) before.checked = true;
  });
  fieldset.append(label);
}

setBars(undefined);
showHeat(heat, undefined, undefined);
const first = (await choose("wasm")) ? "wasm" : "js";
if (first === "js") await choose("js");
fieldset.querySelector<HTMLInputElement>(`[value="${first}"]`)!.checked = true;
