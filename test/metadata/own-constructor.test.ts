import { describe, expect, it } from 'vitest';
import { hasOwnConstructor } from '../../src/metadata/own-constructor.js';
import type { Class } from '../../src/types.js';

class Base {
  constructor(readonly given?: unknown) {}
}

/** As the compiler of some user leaves it: the test's own compiler would rewrite it. */
function written(source: string): Class {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- the sources are right below
  return new Function('Base', `return (${source});`)(Base) as Class;
}

describe('hasOwnConstructor', () => {
  it.each([
    'class extends Base { constructor() { super(1); } }',
    'class extends Base { constructor(x = 1) { super(x); } }',
    'class { a = { b: 1 }; constructor () {} }',
    'class extends Base { constructor(...args) { super(); } }',
    'class extends Base { constructor(...args) { super(...args.slice(1)); } }',
    'class { m() { return "}"; } constructor({ a } = {}) {} }',
    'class extends (class { m() {} }) { constructor() { super(); } }',
  ])('finds one in %s', (source) => {
    expect(hasOwnConstructor(written(source))).toBe(true);
  });

  it.each([
    'class extends Base {}',
    'class extends Base { constructor() { super(...arguments); this.a = 1; } }',
    'class extends Base { constructor(...args) { super(...args); this.a = 1; } }',
    'class extends Base { constructor ( ... given )\n{ super( ...given ) } }',
    'class extends Base { static constructor() {} }',
    'class extends Base { make() { return new (class { constructor() {} })(); } }',
    'class extends Base { make() { return this.constructor(); } }',
    'class extends Base { a = "; constructor() {}"; b = `; constructor() {}` }',
    'class extends Base { /* constructor() {} */ \n // constructor() {}\n }',
    'class { #constructor2() {} static of() { return super.constructor(); } }',
  ])('finds none in %s', (source) => {
    expect(hasOwnConstructor(written(source))).toBe(false);
  });

  it('takes a bound or native function for one without', () => {
    expect(hasOwnConstructor(function () {}.bind(undefined) as unknown as Class)).toBe(false);
  });
});
