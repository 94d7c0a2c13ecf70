import { scopeAt } from './dependency.js';
import type { Limit } from './limit.js';
import type { Slot } from './slot.js';
import type { DependencyListener } from './types.js';

/** What all scopes of one container have in common. */
export class Shared {
  /** Of set-ups and closings. */
  readonly listeners = new Set<DependencyListener>();
  /** Values that factories gave, and some scope will close. */
  readonly owned = new Set<unknown>();
  /** Values given by `provide` and overrides: nobody closes them. */
  readonly given = new WeakSet();
  /** For one closer. */
  readonly limit: Limit;

  constructor(limit: Limit) {
    this.limit = limit;
  }

  /** The time, if someone wants to know: reading it takes longer than setting up most things. */
  now(): number {
    return this.listeners.size === 0 ? 0 : performance.now();
  }

  tell(event: 'setup' | 'close', slot: Slot, started: number, error?: Error): void {
    if (this.listeners.size === 0 || !slot.isManaged) return;
    const ms = started === 0 ? 0 : performance.now() - started;
    const facts = { event, name: slot.part.name, scope: scopeAt(slot.level), ms, ...(error === undefined ? {} : { error }) };
    for (const listener of this.listeners) {
      try {
        listener(facts);
      } catch {
        // a lifetime does not break since someone looked on; the events of an app report what their listeners throw
      }
    }
  }
}
