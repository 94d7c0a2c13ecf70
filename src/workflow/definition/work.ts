import type { Leaf } from './item.js';
import type { Condition } from './read-when.js';
import type { At } from './source.js';

/** A step while it is put together. */
export interface Work {
  readonly leaf: Leaf;
  /** By property. */
  readonly bind: Record<string, unknown>;
  /** Properties whose binding is at fault: nothing more is said of them. */
  readonly excused: Set<string>;
  /** Where the file says what a port is bound to, by property. */
  readonly places: Map<string, At>;
  readonly after: Set<string>;
  /** Written in the file, or made for a plain list. */
  linked: boolean;
  conditions: readonly Condition[];
}
