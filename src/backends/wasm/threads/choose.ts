// Whether a graph runs on all threads or on the calling one alone: what is faster here and now. Both give the same bits. Where other
// programs take the cores, a thread that is interrupted holds all others up, and one thread is faster; nobody can know that ahead.

export type Way = "shared" | "alone";

export interface Chooser {
  /** How the next run is to go. */
  next(): Way;
  /** How long that run took. */
  took(milliseconds: number): void;
}

/** Runs before the first trial: the engine optimizes code meanwhile. */
const settling = 8;
/** Runs between trials of the other way: twice as many after each that changes nothing, for a trial may be several times as slow. */
const firstPeriod = 16;
const longestPeriod = 512;
/** A trial has so many runs, of which the first only wakes threads and fills caches. */
const trialRuns = 3;
/** The other way must be faster by this factor to be taken: noise alone changes nothing. */
const clearly = 0.95;
/** How much of an estimate the newest time makes. */
const newest = 0.25;

/** Starts with all threads. */
export function createChooser(): Chooser {
  const estimates: Record<Way, number | undefined> = { shared: undefined, alone: undefined };
  let way: Way = "shared";
  let period = firstPeriod;
  let untilTrial = settling;
  /** Runs that are left of a trial; 0 outside of one. */
  let trial = 0;
  const other = (): Way => (way === "shared" ? "alone" : "shared");
  const judge = (): void => {
    const [present, tried] = [estimates[way]!, estimates[other()]!];
    if (tried < present * clearly) {
      way = other();
      period = firstPeriod;
    } else {
      period = Math.min(2 * period, longestPeriod);
    }
    untilTrial = period;
  };
  return {
    next: () => (trial > 0 ? other() : way),
    took(milliseconds) {
      if (trial > 0) {
        const tried = other();
        // A trial stands for itself: what the other way took long ago says nothing of now.
        const counted = trialRuns - 1;
        if (trial === counted) estimates[tried] = 0;
        if (trial <= counted) estimates[tried] = estimates[tried]! + milliseconds / counted;
        trial--;
        if (trial === 0) judge();
        return;
      }
      const before = estimates[way] ?? milliseconds;
      estimates[way] = before + newest * (milliseconds - before);
      untilTrial--;
      if (untilTrial === 0) trial = trialRuns;
    },
  };
}
