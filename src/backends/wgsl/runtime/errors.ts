// What goes wrong on a device, as one kind of error with a plain message.

/** No adapter, a lost device, too little memory, or a shader that the implementation refuses. */
export class GpuError extends Error {
  override readonly name = "GpuError";

  constructor(
    readonly reason: "unavailable" | "lost" | "out-of-memory" | "invalid",
    message: string,
  ) {
    super(message);
  }
}
