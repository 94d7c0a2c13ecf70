import { IsString } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { compileRowCheck } from '../../src/validation/row-check.js';

describe('a rule on a property whose name the compiler lost', () => {
  it('is refused, since it would never be looked at', () => {
    class Movie {}
    IsString()(Movie.prototype, null as never);
    expect(() => compileRowCheck(Movie).check({})).toThrow('Movie has validation rules on a property whose name the compiler lost');
  });
});
