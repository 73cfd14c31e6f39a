// The same program in three modules, each loaded when it is chosen: on the GPU, as WebAssembly, as plain JavaScript.

export interface Answer {
  readonly probs: Float32Array;
  readonly heat: Float32Array;
}

export interface Engine {
  readonly title: string;
  /** Loads the module; the function answers for a picture [28, 28]. Rejects with what is missing. */
  start(): Promise<(image: Float32Array) => Promise<Answer>>;
}

export const engines: Readonly<Record<string, Engine>> = {
  webgpu: {
    title: "WebGPU",
    async start() {
      const { createDigits } = await import("./digits.dlm?target=webgpu");
      const model = await createDigits();
      return async (image) => {
        const { probs, heat } = await model.run({ image });
        return { probs: probs.data, heat: heat.data };
      };
    },
  },
  wasm: {
    title: "WebAssembly",
    async start() {
      const { Digits } = await import("./digits.dlm?target=wasm");
      return async (image) => {
        const { probs, heat } = Digits({ image });
        return { probs: probs.data, heat: heat.data };
      };
    },
  },
  js: {
    title: "JavaScript",
    async start() {
      const { Digits } = await import("./digits.dlm?target=js");
      return async (image) => {
        const { probs, heat } = Digits({ image });
        return { probs: probs.data, heat: heat.data };
      };
    },
  },
};

/** Milliseconds that one answer takes: the mean over as many as fit in 20 ms, for clocks of pages are coarse. */
export async function measure(answer: (image: Float32Array) => Promise<Answer>, image: Float32Array): Promise<number> {
  const begin = performance.now();
  let [count, now] = [0, begin];
  while (now < begin + 20) {
    await answer(image);
    count++;
    now = performance.now();
  }
  return (now - begin) / count;
}
