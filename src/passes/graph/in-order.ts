// Groups of nodes in an order in which each comes after those it depends on.

/** The groups that `roots` reach, as far as possible in the order given; groups that need each other in a circle in some order. */
export function inOrder<G>(roots: Iterable<G>, needs: (group: G) => readonly G[]): G[] {
  const order: G[] = [];
  const done = new Set<G>();
  // With a stack of its own, since a deep graph would exhaust the one of the language.
  const stack: { group: G; pending: G[] }[] = [];
  const enter = (group: G): void => {
    if (done.has(group)) return;
    done.add(group);
    stack.push({ group, pending: needs(group).toReversed() });
  };
  for (const root of roots) {
    enter(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const next = top.pending.pop();
      if (next !== undefined) enter(next);
      else order.push(stack.pop()!.group);
    }
  }
  return order;
}
