import type { Database } from './database.js';
import { sweep } from './garbage.js';

/** Milliseconds that closing may take for it: programs that open, run and close are to leave no more behind each time. */
const farewell = 100;

/** Removes what was discarded, a little at a time, between other things. */
export class Sweeper {
  #state: 'idle' | 'sweeping' | 'ended' = 'idle';

  begin(database: Database): void {
    if (this.#state !== 'idle') return;
    this.#state = 'sweeping';
    this.#goOn(database);
  }

  /** Before the database closes. */
  end(database: Database): void {
    const end = performance.now() + farewell;
    let left = this.#state === 'sweeping';
    this.#state = 'ended';
    while (left) left = performance.now() < end && attempt(database);
  }

  #goOn(database: Database): void {
    setImmediate(() => {
      if (this.#state !== 'sweeping') return;
      if (attempt(database)) this.#goOn(database);
      else this.#state = 'idle';
    });
  }
}

/** Whether more is left. What cannot be removed now is left to the next one who opens the store. */
function attempt(database: Database): boolean {
  try {
    return sweep(database);
  } catch {
    return false;
  }
}
