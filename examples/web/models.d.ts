// What the plugin makes of digits.dlm, for the type checker.

interface DigitsAnswer {
  readonly probs: { readonly data: Float32Array };
  readonly heat: { readonly data: Float32Array };
}

declare module "*/digits.dlm?target=wasm" {
  export function Digits(inputs: { readonly image: Float32Array }): DigitsAnswer;
}

declare module "*/digits.dlm?target=js" {
  export function Digits(inputs: { readonly image: Float32Array }): DigitsAnswer;
}

declare module "*/digits.dlm?target=webgpu" {
  export function createDigits(): Promise<{
    run(inputs: { readonly image: Float32Array }): Promise<DigitsAnswer>;
    free(): void;
  }>;
}
