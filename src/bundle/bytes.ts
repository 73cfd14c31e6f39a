// Bytes as the text of an expression that a bundle evaluates.

/** Base64, in pieces: a call takes only so many arguments. */
export function toBase64(bytes: Uint8Array): string {
  const piece = 0x8000;
  let text = "";
  for (let i = 0; i < bytes.length; i += piece) text += String.fromCharCode(...bytes.subarray(i, i + piece));
  return btoa(text);
}

/**
 * A string literal with a character for each byte, in ASCII. For code that is compressed on its way it takes half of what base64
 * does, for compressors find bytes that repeat: the primer's CNN in both of its binaries takes 5.9 KB instead of 10.2.
 */
export function toCharacters(bytes: Uint8Array): string {
  const pieces = Array.from(bytes, (byte, i) => {
    if (byte === 0) return isDigit(bytes[i + 1]) ? "\\x00" : "\\0";
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return `"${pieces.join("")}"`;
}

/** A zero before a digit would read as an octal number. */
const isDigit = (byte = 0): boolean => byte >= 0x30 && byte <= 0x39;
