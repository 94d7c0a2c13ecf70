import type { TaskMonitor } from '../types.js';

/** Milliseconds that a reading of the memory in use serves for: a reading costs more than a short task. */
const interval = 100;

let taken = 0;
let latest = 0;
let timer: NodeJS.Timeout | undefined;
const watching = new Set<Monitor>();

/** Watches what one task costs this process. */
export class Monitor {
  readonly #cpu = process.cpuUsage();
  #peak: number;

  constructor() {
    this.#peak = memory();
    watching.add(this);
    timer ??= setInterval(sample, interval).unref();
  }

  note(bytes: number): void {
    if (bytes > this.#peak) this.#peak = bytes;
  }

  stop(batches: number): TaskMonitor {
    watching.delete(this);
    this.note(memory());
    const { user, system } = process.cpuUsage(this.#cpu);
    return { cpuMs: (user + system) / 1000, peakMemory: this.#peak, batches };
  }
}

function sample(): void {
  if (watching.size === 0) {
    clearInterval(timer);
    timer = undefined;
    return;
  }
  const bytes = memory();
  for (const monitor of watching) monitor.note(bytes);
}

function memory(): number {
  const now = performance.now();
  if (now - taken >= interval || latest === 0) {
    taken = now;
    latest = process.memoryUsage.rss();
  }
  return latest;
}
