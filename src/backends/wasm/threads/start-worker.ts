// Starts workers from a text, in Node and in browsers, and says whether that and shared memory are possible here.

/** A worker, as much of it as a pool needs. It does not keep the process alive. */
export interface StartedWorker {
  post(message: unknown): void;
  end(): void;
}

/** Why this place has no threads; undefined where it has. */
export function missingForThreads(): string | undefined {
  if (typeof SharedArrayBuffer === "undefined" || isIsolated() === false) {
    return "the page is not isolated: send the headers Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy";
  }
  if (nodeWorkers() || typeof Worker !== "undefined") return undefined;
  return typeof process === "undefined"
    ? "there are no workers here"
    : "Node before 20.16 cannot start workers from here";
}

/** Throws where a worker cannot be started. */
export function startWorker(text: string): StartedWorker {
  const threads = nodeWorkers();
  if (threads) {
    // None of the loaders that the process was started with: the text needs none, and they take longer to start than it.
    const worker = new threads.Worker(text, { eval: true, execArgv: [], name: "dlm" });
    worker.unref();
    // Whoever waits for it finds out by himself; an event that nobody listens to would end the process.
    worker.on("error", () => undefined);
    return { post: (message) => worker.postMessage(message), end: () => void worker.terminate() };
  }
  const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const worker = new Worker(address, { name: "dlm" });
  // Whoever waits for it finds out by himself.
  worker.onerror = (event) => event.preventDefault();
  return {
    post: (message) => worker.postMessage(message),
    end: () => {
      worker.terminate();
      URL.revokeObjectURL(address);
    },
  };
}

const isIsolated = (): boolean | undefined =>
  typeof crossOriginIsolated === "undefined" ? undefined : crossOriginIsolated;

/** Node's own workers, found without an import: browsers have no such module. Undefined there. */
function nodeWorkers() {
  if (typeof process === "undefined" || typeof process.getBuiltinModule !== "function") return undefined;
  return process.getBuiltinModule("node:worker_threads");
}
