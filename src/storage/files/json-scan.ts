const [quote, backslash, colon, comma, minus, plus, dot, zero] = [0x22, 0x5c, 0x3a, 0x2c, 0x2d, 0x2b, 0x2e, 0x30];
const [openBrace, closeBrace, openBracket, letterE, capitalE, letterU] = [0x7b, 0x7d, 0x5b, 0x65, 0x45, 0x75];
const escapes: ReadonlySet<number> = new Set(Buffer.from('"\\/bfnrtu'));
const words: readonly Uint8Array[] = ['true', 'false', 'null'].map((word) => Buffer.from(word));

/** A mistake in JSON text, at a byte of it. */
export class JsonMistake extends Error {
  readonly offset: number;
  constructor(offset: number, expected: string, bytes: Uint8Array) {
    super(`expected ${expected}, found ${describeByte(bytes, offset)}`);
    this.offset = offset;
  }
}

/** What `scanJson` answers where the value has no end in the bytes that there are. */
export const unfinished = -1;

/** What may come next. */
const state = { value: 0, valueOrEnd: 1, key: 2, keyOrEnd: 3, colon: 4, commaOrEnd: 5 } as const;

/**
 * Where the JSON value ends that begins at `from`, or `unfinished`. Says where exactly a mistake is, which `JSON.parse` does not; depth costs no
 * stack.
 *
 * @throws JsonMistake for what is no JSON.
 */
export function scanJson(bytes: Uint8Array, from: number): number {
  const outer: number[] = []; // what closes each of the brackets around the innermost
  let close = 0; // what closes the innermost bracket that is open
  let expects: number = state.value;
  let at = from;
  for (;;) {
    at = skipSpace(bytes, at);
    const byte = bytes[at];
    if (byte === undefined) return unfinished;
    if (byte === close && closes(expects)) {
      close = outer.pop() ?? 0;
      at++;
      expects = state.commaOrEnd;
    } else if (expects === state.colon) {
      if (byte !== colon) throw new JsonMistake(at, "':'", bytes);
      at++;
      expects = state.value;
    } else if (expects === state.commaOrEnd) {
      if (byte !== comma) throw new JsonMistake(at, close === closeBrace ? "',' or '}'" : "',' or ']'", bytes);
      at++;
      expects = close === closeBrace ? state.key : state.value;
    } else if (expects === state.key || expects === state.keyOrEnd) {
      if (byte !== quote)
        throw new JsonMistake(
          at,
          expects === state.key ? 'a property name in double quotes' : "a property name in double quotes, or '}'",
          bytes,
        );
      at = scanString(bytes, at);
      expects = state.colon;
    } else if (byte === openBrace || byte === openBracket) {
      outer.push(close);
      close = byte + 2; // in ASCII the closing one is two further
      at++;
      expects = byte === openBrace ? state.keyOrEnd : state.valueOrEnd;
    } else {
      at = scanScalar(bytes, at, byte);
      expects = state.commaOrEnd;
    }
    if (at === unfinished || close === 0) return at;
  }
}

/** Where the first byte is that is no white space of JSON. */
export function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  for (let byte = bytes[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[++at]);
  return at;
}

function closes(expects: number): boolean {
  return expects === state.commaOrEnd || expects === state.keyOrEnd || expects === state.valueOrEnd;
}

function scanScalar(bytes: Uint8Array, at: number, byte: number): number {
  if (byte === quote) return scanString(bytes, at);
  if (byte === minus || isDigit(byte)) return scanNumber(bytes, at);
  for (const word of words) if (byte === word[0]) return scanWord(bytes, at, word);
  throw new JsonMistake(at, 'a value', bytes);
}

function scanString(bytes: Uint8Array, from: number): number {
  for (let at = from + 1; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === quote) return at + 1;
    if (byte < 0x20)
      throw new JsonMistake(at, 'the end of the string (a control character in it is written as an escape, like \\n)', bytes);
    if (byte !== backslash) continue;
    at++;
    const escaped = bytes[at];
    if (escaped === undefined) return unfinished;
    if (!escapes.has(escaped)) throw new JsonMistake(at, 'one of "\\/bfnrtu after the backslash', bytes);
    if (escaped !== letterU) continue;
    for (const end = at + 4; at < end; at++) {
      const digit = bytes[at + 1];
      if (digit === undefined) return unfinished;
      if (!isHex(digit)) throw new JsonMistake(at + 1, 'four hexadecimal digits after \\u', bytes);
    }
  }
  return unfinished;
}

/** A number that runs to the end of the bytes may go on: it is unfinished. (One at the end of a file stands in no object.) */
function scanNumber(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === minus ? from + 1 : from;
  if (bytes[at] === zero) at++;
  else at = scanDigits(bytes, at);
  if (at !== unfinished && bytes[at] === dot) at = scanDigits(bytes, at + 1);
  if (at !== unfinished && (bytes[at] === letterE || bytes[at] === capitalE)) {
    const sign = bytes[at + 1];
    at = scanDigits(bytes, sign === minus || sign === plus ? at + 2 : at + 1);
  }
  return at === unfinished || at >= bytes.length ? unfinished : at;
}

function scanDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  for (let byte = bytes[at]; byte !== undefined && isDigit(byte); byte = bytes[++at]);
  if (at >= bytes.length) return unfinished;
  if (at === from) throw new JsonMistake(at, 'a digit', bytes);
  return at;
}

function scanWord(bytes: Uint8Array, from: number, word: Uint8Array): number {
  for (let index = 0; index < word.length; index++) {
    const byte = bytes[from + index];
    if (byte === undefined) return unfinished;
    if (byte !== word[index]) throw new JsonMistake(from + index, `'${Buffer.from(word).toString()}'`, bytes);
  }
  return from + word.length;
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= 0x39;
}

function isHex(byte: number): boolean {
  return isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

/** The character at an offset, as a message shows it. */
export function describeByte(bytes: Uint8Array, offset: number): string {
  const byte = bytes[offset];
  if (byte === undefined) return 'the end';
  if (byte === 0x0a || byte === 0x0d) return 'the end of the line';
  const [character = ''] = Buffer.from(bytes.buffer, bytes.byteOffset + offset, Math.min(4, bytes.length - offset)).toString();
  return byte < 0x20 ? `the control character \\u${byte.toString(16).padStart(4, '0')}` : `'${character}'`;
}
