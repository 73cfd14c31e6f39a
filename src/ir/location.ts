// Where in the source a node came from. Every node keeps its place, down to the line of the generated kernel.

export interface Location {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** The chain of blocks the node was made in, outermost first: `encoder/dense`. Empty in a model's own body. */
  readonly scope: string;
  /** The rule that made the node for another one, such as `gradient of dot`. */
  readonly note?: string;
}
