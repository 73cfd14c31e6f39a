// JSON.parse keeps the last of two members of one name and says nothing; a weight file with a name twice is damaged.

/** The first name that stands twice in one object of `text`, which is valid JSON. */
export function duplicateKey(text: string): string | undefined {
  const objects: (Set<string> | undefined)[] = [];
  let expectKey = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "{") {
      objects.push(new Set());
      expectKey = true;
    } else if (c === "[") {
      objects.push(undefined);
      expectKey = false;
    } else if (c === "}" || c === "]") {
      objects.pop();
    } else if (c === ",") {
      expectKey = objects.at(-1) !== undefined;
    } else if (c === '"') {
      const start = i++;
      while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
      const names = objects.at(-1);
      if (!expectKey || !names) continue;
      expectKey = false;
      const name = String(JSON.parse(text.slice(start, i + 1)));
      if (names.has(name)) return name;
      names.add(name);
    }
  }
  return undefined;
}
