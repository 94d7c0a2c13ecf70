import type { Fault } from '../../errors.js';

/** The text of a definition file, and where in it things are. */
export class Source {
  /** As it was named. */
  readonly path: string;
  readonly text: string;
  #lines: readonly number[] | undefined;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  /** `file:line:column`, both from 1; columns count UTF-16 code units, as editors do. */
  where(offset: number): string {
    const lines = (this.#lines ??= lineStarts(this.text));
    let low = 0;
    let high = lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((lines[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return `${this.path}:${String(low + 1)}:${String(offset - (lines[low] ?? 0) + 1)}`;
  }

  /** The offset of a line and column, both from 1. */
  offset(line: number, column: number): number {
    const lines = (this.#lines ??= lineStarts(this.text));
    return Math.min((lines[line - 1] ?? this.text.length) + column - 1, this.text.length);
  }
}

/** A place in a file. */
export interface At {
  readonly source: Source;
  readonly offset: number;
}

export function whereOf({ source, offset }: At): string {
  return source.where(offset);
}

/** Collects the faults of a definition; they are told in the order of the file. */
export class Faults {
  readonly #all: { readonly fault: Fault; readonly at: At | undefined }[] = [];

  get count(): number {
    return this.#all.length;
  }

  add(at: At, fault: Omit<Fault, 'where'> & { readonly where?: readonly string[] }): void {
    const where = [whereOf(at), ...(fault.where ?? [])];
    this.#all.push({ at, fault: { ...fault, where } });
  }

  /** What has no code of its own. */
  invalid(at: At, message: string, fix: string): undefined {
    this.add(at, { code: 'DEFINITION_INVALID', message, fix });
    return undefined;
  }

  /** A fault that says itself where it is. */
  push(fault: Fault, at?: At): void {
    this.#all.push({ fault, at });
  }

  /** Says of the faults from the one numbered `first` on who names their file; one without a line of its own is where it is named. */
  relate(first: number, where: string, at: At): void {
    for (let index = first; index < this.#all.length; index++) {
      const { fault, at: own } = this.#all[index]!;
      const isWhole = own?.source.text === '' && fault.code === 'FILE_UNREADABLE';
      this.#all[index] = { fault: { ...fault, where: isWhole ? [where] : [...fault.where, where] }, at: isWhole ? at : own };
    }
  }

  /** In the order of the file that was named first, then of those that it names. */
  sorted(): readonly Fault[] {
    const sources = [...new Set(this.#all.flatMap(({ at }) => at?.source ?? []))];
    const rank = ({ at }: { readonly at: At | undefined }): number => (at === undefined ? sources.length : sources.indexOf(at.source));
    const sorted = [...this.#all].sort((a, b) => rank(a) - rank(b) || (a.at?.offset ?? 0) - (b.at?.offset ?? 0));
    const seen = new Set<string>();
    return sorted.flatMap(({ fault }) => {
      const key = `${fault.code} ${fault.where[0] ?? ''} ${fault.message}`;
      if (seen.has(key)) return [];
      seen.add(key);
      return [fault];
    });
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 10 || (code === 13 && text.charCodeAt(at + 1) !== 10)) starts.push(at + 1);
  }
  return starts;
}
