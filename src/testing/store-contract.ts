/** Local stand-in; never committed. */
export function storeContract(_open: () => unknown): void {
  // stand-in
}
