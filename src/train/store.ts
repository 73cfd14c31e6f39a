// Where a training run keeps its files. The loop knows names and bytes; node/folder-store.ts puts them into a folder, and
// a browser, or a test, keeps them in memory.

export interface Store {
  /** How messages call the place. */
  readonly place: string;
  /** The bytes of a file, or undefined where there is none. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Writes a file, whole or not at all. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Lets other processes write to the place. */
  close?(): Promise<void>;
  /** Gives files that are there new names, with a number, and returns what was renamed: [["a.json", "a.1.json"]]. */
  setAside(names: readonly string[]): Promise<(readonly [from: string, to: string])[]>;
}

export const weightsFile = "weights.safetensors";
export const historyFile = "history.json";
export const checkpointFile = "checkpoint.safetensors";
/** Weights of the epoch with the best value on the rows held back, where the last weights are what is kept. */
export const bestFile = "best.safetensors";
/** What was observed on the way, for the report, and the report itself. Time and memory make them differ from run to run. */
export const observationsFile = "observations.json";
export const reportFile = "report.html";

/** `weights.3.safetensors` */
export function numbered(name: string, number: number): string {
  const dot = name.lastIndexOf(".");
  return `${name.slice(0, dot)}.${number}${name.slice(dot)}`;
}

/** A store in memory. */
export function memoryStore(files: Map<string, Uint8Array> = new Map()): Store {
  return {
    place: "memory",
    read: async (name) => files.get(name)?.slice(),
    write: async (name, bytes) => {
      files.set(name, bytes.slice());
    },
    setAside: async (names) => {
      let number = 1;
      while (names.some((name) => files.has(numbered(name, number)))) number++;
      return names.flatMap((name) => {
        const bytes = files.get(name);
        if (!bytes) return [];
        files.set(numbered(name, number), bytes);
        files.delete(name);
        return [[name, numbered(name, number)] as const];
      });
    },
  };
}
