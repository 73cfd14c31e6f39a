// Where a bundle finds the files beside it: over the network, or on disk where there are disks.

/** The bytes of a file beside the module, in browsers and where there are files. */
export async function fromFile(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  if (url.protocol === "file:" && typeof process === "object" && typeof process.getBuiltinModule === "function")
    return new Uint8Array(process.getBuiltinModule("node:fs").readFileSync(url));
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} belongs beside its module and cannot be read: status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
