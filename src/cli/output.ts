import picocolors from 'picocolors';

/** What is asked of a stream; `process.stdout` has it, and so has a test's. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string, done?: (error?: Error | null) => void): boolean;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  on(event: 'drain', listener: () => void): unknown;
}

export type Colors = ReturnType<typeof picocolors.createColors>;

/** Standard output or standard error. When its reader has gone (`millrace … | head`) what is written goes nowhere. */
export class Output {
  readonly stream: OutputStream;
  readonly colors: Colors;
  #closed = false;
  #before: (() => void) | undefined;
  /** Writers that wait for room. */
  #waiting: (() => void)[] = [];

  /** @param fail - hears what keeps it from being written, other than a reader who has gone. */
  constructor(stream: OutputStream, env: NodeJS.ProcessEnv = process.env, fail: (error: Error) => void = ignore) {
    this.stream = stream;
    this.colors = picocolors.createColors(hasColors(stream, env));
    stream.on('drain', () => this.#release());
    stream.on('error', (error) => {
      this.#closed = true;
      this.#release();
      if (error.code !== 'EPIPE') fail(error);
    });
  }

  /** The reader has gone: nothing more needs to be made for it. */
  get isClosed(): boolean {
    return this.#closed;
  }

  get isTerminal(): boolean {
    return this.stream.isTTY === true;
  }

  /** Columns of a terminal; undefined where lines may be as long as they are. */
  get width(): number | undefined {
    // a terminal that does not know its width says 0
    return this.isTerminal ? this.stream.columns || 80 : undefined;
  }

  /** Called before each line is written: a progress bar makes room. */
  onLine(before: (() => void) | undefined): void {
    this.#before = before;
  }

  line(text = ''): void {
    this.#before?.();
    if (!this.#closed) this.stream.write(`${text}\n`);
  }

  /** Resolves when more may come (back-pressure). */
  async write(text: string): Promise<void> {
    if (this.#closed || this.stream.write(text)) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when all that was written is out. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed) return resolve();
      this.#waiting.push(resolve);
      this.stream.write('', () => resolve());
    });
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Where standard error cannot be written there is nobody to tell. */
function ignore(): void {}

/** https://no-color.org: NO_COLOR wins, whatever its value; FORCE_COLOR asks for colours where there is no terminal. */
function hasColors(stream: OutputStream, env: NodeJS.ProcessEnv): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['FORCE_COLOR'] ?? '') !== '') return env['FORCE_COLOR'] !== '0';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}
