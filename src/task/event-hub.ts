import type { EventListeners, Events } from '../types.js';

type Listener<E extends keyof Events> = (event: Events[E]) => void;

/** Passes events to their listeners in order; a listener that throws is reported and harms nobody. */
export class EventHub {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();
  readonly #parent: EventHub | undefined;
  readonly #report: (event: keyof Events, error: unknown) => void;

  constructor(report: (event: keyof Events, error: unknown) => void, parent?: EventHub) {
    this.#report = report;
    this.#parent = parent;
  }

  /** A hub whose events also reach the listeners of this one. */
  extend(listeners: EventListeners): EventHub {
    const hub = new EventHub(this.#report, this);
    for (const [event, listener] of Object.entries(listeners)) hub.on(event as keyof Events, listener as Listener<keyof Events>);
    return hub;
  }

  on<E extends keyof Events>(event: E, listener: Listener<E>): Disposable {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    const own = (payload: Events[E]): void => {
      const heard: unknown = listener(payload); // an async function is taken for a listener too
      if (heard instanceof Promise) heard.catch((error: unknown) => this.#report(event, error));
    };
    listeners.add(own);
    return { [Symbol.dispose]: () => void listeners.delete(own) };
  }

  has(event: keyof Events): boolean {
    return (this.#listeners.get(event)?.size ?? 0) > 0 || this.#parent?.has(event) === true;
  }

  emit<E extends keyof Events>(event: E, payload: Events[E]): void {
    this.#parent?.emit(event, payload);
    const listeners = this.#listeners.get(event);
    if (listeners === undefined) return;
    for (const listener of listeners) {
      try {
        (listener as Listener<E>)(payload);
      } catch (error) {
        this.#report(event, error);
      }
    }
  }
}
