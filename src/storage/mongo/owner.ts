import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The process that a stage belongs to. */
export interface Owner {
  readonly host: string;
  /** Tells machines and containers apart in which process numbers mean different processes. */
  readonly machine: string;
  readonly pid: number;
  /** When the process started, in the machine's own units: numbers of processes are used again. */
  readonly started: string;
}

let own: Owner | undefined;

export function thisProcess(): Owner {
  return (own ??= Object.freeze({ host: hostname(), machine: machine(), pid: process.pid, started: startOf(process.pid) ?? '' }));
}

/** Whether the process is known to have ended; one of another machine never is. */
export function isDead({ machine: other, pid, started }: Owner): boolean {
  if (other !== thisProcess().machine) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'; // EPERM: alive, and someone else's
  }
  const now = startOf(pid);
  return now !== undefined && started !== '' && now !== started;
}

function machine(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname(); // not Linux: the name of the machine must do
  }
}

/** Undefined where the system does not say. A zombie has ended, though its number is still taken. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : fields[19];
  } catch {
    return undefined;
  }
}
