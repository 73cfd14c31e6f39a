// Puts the body of a function where it is called: no call in an inner loop, and its vector constants set once, before the kernel's
// loops. (V8 inlines no functions of WebAssembly, and makes a vector constant anew at each use.)

import { get, type Local, set, type Tree, type WasmFunction } from "./tree.ts";

/** The result of the function for the operands. `constant` gives what stands for a vector constant. */
export function inlined(
  target: WasmFunction,
  operands: readonly Tree[],
  constant: (vector: Tree & { readonly kind: "vector" }) => Tree,
): Tree {
  const locals = new Map<Local, Local>();
  const rename = (local: Local): Local => {
    const known = locals.get(local) ?? { ...local };
    locals.set(local, known);
    return known;
  };
  const copy = (tree: Tree): Tree => {
    switch (tree.kind) {
      case "vector":
        return constant(tree);
      case "get":
        return get(rename(tree.local));
      case "set":
      case "tee":
        return { ...tree, local: rename(tree.local), value: copy(tree.value) };
      case "plain":
      case "memory":
      case "lane":
      case "call":
        return { ...tree, operands: tree.operands.map(copy) };
      case "shuffle":
        return { ...tree, operands: [copy(tree.operands[0]), copy(tree.operands[1])] };
      case "copy":
        return { ...tree, operands: [copy(tree.operands[0]), copy(tree.operands[1]), copy(tree.operands[2])] };
      case "block":
      case "loop":
        return { ...tree, body: tree.body.map(copy) };
      case "if":
        return {
          ...tree,
          condition: copy(tree.condition),
          then: tree.then.map(copy),
          otherwise: tree.otherwise.map(copy),
        };
      case "branch":
        return tree.condition ? { ...tree, condition: copy(tree.condition) } : tree;
      case "constant":
      case "long":
      case "comment":
        return tree;
    }
  };
  const given = target.parameters.map((parameter, i) => set(rename(parameter), operands[i]!));
  const result = target.result === undefined ? {} : { result: target.result };
  return { kind: "block", label: { name: target.name }, ...result, body: [...given, ...target.body.map(copy)] };
}
