import type { TaskMonitor } from '../types.js';

/** Milliseconds between samples of the memory in use while a task runs. */
const interval = 100;

/** A reading costs more than a short task, on some systems several times as much: it serves for so many milliseconds. */
const memoryInUse = reading(interval, () => process.memoryUsage.rss());
const cpuSpent = reading(1, () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
});

const watching = new Set<Monitor>();
let timer: NodeJS.Timeout | undefined;

/** Watches what one task costs this process. */
export class Monitor {
  readonly #cpu = cpuSpent();
  #peak = memoryInUse();

  constructor() {
    watching.add(this);
    timer ??= setInterval(sample, interval).unref();
  }

  note(bytes: number): void {
    if (bytes > this.#peak) this.#peak = bytes;
  }

  stop(batches: number): TaskMonitor {
    watching.delete(this);
    this.note(memoryInUse());
    return { cpuMs: cpuSpent() - this.#cpu, peakMemory: this.#peak, batches };
  }
}

function sample(): void {
  if (watching.size === 0) {
    clearInterval(timer);
    timer = undefined;
    return;
  }
  const bytes = memoryInUse();
  for (const monitor of watching) monitor.note(bytes);
}

function reading(lasts: number, read: () => number): () => number {
  let taken = -Infinity;
  let latest = 0;
  return () => {
    const now = performance.now();
    if (now - taken < lasts) return latest;
    taken = now;
    return (latest = read());
  };
}
