// Where a bundle has its bytes from: texts inside it.

/** Bytes written as base64: the shortest for numbers without a pattern, such as weights. */
export const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => fromCharacters(atob(text));

/** Bytes written as the characters of a text: the shortest for code, once it is compressed on its way. */
export function fromCharacters(text: string): Uint8Array<ArrayBuffer> {
  // `Uint8Array.from` with a function takes ten times as long.
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
