/** What may end an attempt from outside: an AbortSignal is one, and so is a {@link Canceller}. */
export interface Cancellation {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(event: 'abort', listener: AbortListener, options?: { readonly once?: boolean }): void;
  removeEventListener(event: 'abort', listener: AbortListener): void;
}

/** An object rather than a function: one that is there already costs nothing. */
export interface AbortListener {
  handleEvent(): void;
}

/** Cancels one step of a workflow. An AbortController does the same, and costs more than a short task. */
export class Canceller implements Cancellation {
  aborted = false;
  reason: unknown;
  #listener: AbortListener | undefined;
  #controller: AbortController | undefined;

  /** The first reason counts. */
  cancel(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#controller?.abort(reason);
    this.#listener?.handleEvent();
  }

  /** For what takes only signals. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.aborted) this.#controller.abort(this.reason);
    }
    return this.#controller.signal;
  }

  /** One attempt at a time listens. */
  addEventListener(_event: 'abort', listener: AbortListener): void {
    this.#listener = listener;
  }

  removeEventListener(): void {
    this.#listener = undefined;
  }
}
