// Where a bundle has its bytes from: texts inside it.

/** Bytes written as base64: the shortest for numbers without a pattern, such as weights. */
export const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => fromCharacters(atob(text));

/** Bytes written as the characters of a text: the shortest for code, once it is compressed on its way. */
export const fromCharacters = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));
