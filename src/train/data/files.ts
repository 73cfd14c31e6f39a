// What data sources ask of those who have files: whole files everywhere, folders and parts of files where there is a disk.

/** A file that is read in parts, because it may be larger than memory. */
export interface OpenFile {
  /** For messages. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Bytes from `start` to before `end`, at once. Throws a FormatError where they cannot be read. */
  readonly read: (start: number, end: number) => Uint8Array;
}

export interface DataFiles {
  /** The bytes of a data file and its path for messages. Throws a FormatError where there is no such file. */
  readonly read: (file: string) => Promise<{ readonly path: string; readonly bytes: Uint8Array }>;
  /** Paths of all files below a folder, relative to it, in the order of their names. */
  readonly list?: (folder: string) => Promise<readonly string[]>;
  /** Opens a file in parts; undefined where it is small enough to be read as a whole, unless `always` is given. */
  readonly open?: (file: string, always?: boolean) => OpenFile | undefined;
}
