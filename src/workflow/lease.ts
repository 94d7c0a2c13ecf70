import { hostname } from 'node:os';

/** Milliseconds for which a run is known to be alive after a sign of life. */
const term = 30_000;
/** Milliseconds between signs of life. */
export const beat = 10_000;

/** Who works on a run, and until when nobody else may. */
export interface Lease {
  readonly host: string;
  readonly pid: number;
  readonly until: Date;
}

/** Runs of this process that have not ended. */
export const living = new Set<string>();

export function newLease(): Lease {
  return { host: hostname(), pid: process.pid, until: new Date(Date.now() + term) };
}

/** Whether a run may still be under way: in this process, in one of this machine that lives, or elsewhere for as long as its lease holds. */
export function holds(runId: string, { host, pid, until }: Lease): boolean {
  if (until.getTime() < Date.now()) return living.has(runId);
  if (host !== hostname()) return true;
  return pid === process.pid ? living.has(runId) : lives(pid);
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it lives, and is somebody else's
  }
}
