/** A test of one value; `leaf` says whether the elements of an array are tried before the array itself. */
export interface ElementTest {
  readonly leaf: boolean;
  readonly test: (value: unknown) => boolean;
}
