// Numbers in options.

import { InvalidArgumentError } from "commander";

/** The value of an option that must be a whole number from `least` on. */
export const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`it must be a whole number from ${least} on.`);
    return value;
  };
