/** Open while an attempt lasts; closed, every port of it refuses to be used, and reads under way are ended. */
export class Gate {
  #reason: string | undefined;
  readonly #ends = new Set<() => void>();

  get isClosed(): boolean {
    return this.#reason !== undefined;
  }

  /** What happened, for messages: `the task had ended`. */
  get reason(): string {
    return this.#reason ?? 'the task had ended';
  }

  /** Calls `end` when the gate closes; answers what takes that back. */
  onClose(end: () => void): () => void {
    this.#ends.add(end);
    return () => this.#ends.delete(end);
  }

  close(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    for (const end of this.#ends) end();
    this.#ends.clear();
  }
}
