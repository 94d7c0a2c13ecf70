/** A million keys leave one in fifty to be looked up; far more cost what a look-up of all of them costs, and no memory. */
const bits = 1 << 23;
const hashes = 4;

/**
 * Which keys may have come before: a key that has is known for sure, of those that have not nearly all. A Bloom filter (B. H. Bloom,
 * 1970) whose hashes are sums of two (A. Kirsch and M. Mitzenmacher, 2006), each FNV-1a.
 */
export class SeenKeys {
  readonly #bytes = new Uint8Array(bits / 8);

  add(text: string): void {
    for (const place of placesOf(text)) this.#bytes[place >>> 3]! |= 1 << (place & 7);
  }

  mayHave(text: string): boolean {
    return placesOf(text).every((place) => (this.#bytes[place >>> 3]! & (1 << (place & 7))) !== 0);
  }
}

function placesOf(text: string): number[] {
  const [first, step] = [hash(text, 0x811c9dc5), hash(text, 0x050c5d1f) | 1];
  return Array.from({ length: hashes }, (_, at) => (first + Math.imul(at, step)) & (bits - 1));
}

function hash(text: string, basis: number): number {
  let value = basis;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value ^ (value >>> 15); // the low bits, which are used, know little of the high ones
}
