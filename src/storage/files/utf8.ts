import { isUtf8 } from 'node:buffer';

/** What is UTF-8 in a piece of bytes: all up to `end`; `bad` where a byte there cannot be part of it, else the rest may be the beginning of a character. */
export interface Utf8Extent {
  readonly end: number;
  readonly bad: boolean;
}

/** How far `bytes` is UTF-8 from `from`, which begins a character, up to `to`. */
export function checkUtf8(bytes: Uint8Array, from: number, to: number): Utf8Extent {
  const end = lastBoundary(bytes, from, to);
  if (isUtf8(bytes.subarray(from, end))) return end === to ? { end, bad: false } : walk(bytes, end, to);
  return walk(bytes, from, to);
}

/** Where the last character begins that may be cut off, or `to`. */
function lastBoundary(bytes: Uint8Array, from: number, to: number): number {
  for (let at = to - 1; at >= Math.max(from, to - 3); at--) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x80) return to;
    if (byte >= 0xc0) return at + sizeOf(byte) > to ? at : to;
  }
  return to;
}

function walk(bytes: Uint8Array, from: number, to: number): Utf8Extent {
  let at = from;
  while (at < to) {
    const first = bytes[at] ?? 0;
    const size = sizeOf(first);
    if (size === 0) return { end: at, bad: true };
    const have = Math.min(size, to - at);
    for (let i = 1; i < have; i++) if (!isContinuation(first, i, bytes[at + i] ?? 0)) return { end: at, bad: true };
    if (have < size) return { end: at, bad: false };
    at += size;
  }
  return { end: at, bad: false };
}

/** How many bytes a character has that begins with this one; 0 where none does. */
function sizeOf(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0; // a continuation, or an overlong form
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

/** The second byte is bounded more closely after some first ones: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
function isContinuation(first: number, index: number, byte: number): boolean {
  if (index > 1) return byte >= 0x80 && byte < 0xc0;
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  return byte >= least && byte <= most;
}
