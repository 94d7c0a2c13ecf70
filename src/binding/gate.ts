/** Open while an attempt lasts; closed, every port of it refuses to be used, and reads under way are ended. */
export class Gate {
  #reason: string | undefined;
  /** Made when something asks for it: a short task feels what it has no use for. */
  #ends: Set<() => void> | undefined;

  get isClosed(): boolean {
    return this.#reason !== undefined;
  }

  /** What happened, for messages: `the task had ended`. */
  get reason(): string {
    return this.#reason ?? 'the task had ended';
  }

  /** Calls `end` when the gate closes; answers what takes that back. */
  onClose(end: () => void): () => void {
    const ends = (this.#ends ??= new Set());
    ends.add(end);
    return () => ends.delete(end);
  }

  /** The promise, or a rejection once the gate is closed: who waits for what may never come is let go. */
  whileOpen<T>(promise: Promise<T>, closed: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.isClosed) reject(closed());
      const forget = this.onClose(() => reject(closed()));
      promise.then(resolve, reject).finally(forget);
    });
  }

  close(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    for (const end of this.#ends ?? []) end();
    this.#ends = undefined;
  }
}
