import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The process that holds a stage. */
export interface Owner {
  readonly host: string;
  /** Of the running system; empty where it has none. */
  readonly boot: string;
  /** Where process numbers mean something: containers may share a host's name, and have numbers of their own. Empty where there is one only. */
  readonly namespace: string;
  readonly pid: number;
  /** When the process began, as its system counts; empty where that cannot be asked. */
  readonly started: string;
}

/** Milliseconds after which a stage that is not renewed may be taken from an owner of whom nothing is known. */
export const leaseTime = 60_000;

let self: Owner | undefined;

/** This process. */
export function thisProcess(): Owner {
  return (self ??= Object.freeze({
    host: hostname(),
    boot: bootId(),
    namespace: pidNamespace(),
    pid: process.pid,
    started: startOf(process.pid) ?? '',
  }));
}

/**
 * Whether an owner is known to be gone: on this host its process is looked for (another one may have its number: then it began at
 * another time); of other hosts only the lease tells.
 */
export function isDead(owner: Owner, lease: number, now = Date.now()): boolean {
  const here = thisProcess();
  if (owner.host !== here.host) return lease < now;
  if (owner.boot !== here.boot) return true;
  if (owner.namespace !== here.namespace) return lease < now;
  if (!exists(owner.pid)) return true;
  const started = startOf(owner.pid);
  if (owner.started === '' || started === undefined) return lease < now;
  return owner.started !== started;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // there, and somebody else's
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return ''; // a system without it: the process number and the lease must do
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** The 22nd field of its state; the second one, the name, is in brackets and may hold anything. */
function startOf(pid: number): string | undefined {
  try {
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = state.slice(state.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'zombie' : fields[19];
  } catch {
    return undefined;
  }
}
