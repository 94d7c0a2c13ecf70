import 'reflect-metadata';
import { Type } from 'class-transformer';
import * as cv from 'class-validator';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/errors.js';
import type { Class } from '../../src/types.js';
import { compileRowCheck, type Reason } from '../../src/validation/row-check.js';
import { rulesOf } from '../../src/validation/rules.js';
import { knownRules } from '../../src/validation/known-rules.js';
import { answersAtOnce, knownTest } from '../../src/validation/rule-proof.js';
import { decorators } from './decorators.js';
import { classOf } from './oracle.js';

class Item {
  @cv.IsString() sku!: string;
  @cv.IsNumber() @cv.Min(0) amount!: number;
}
class Address {
  @cv.IsString() city!: string;
}
class Order {
  @cv.IsString() id!: string;
  @cv.IsArray() @cv.ValidateNested({ each: true }) @Type(() => Item) items!: Item[];
  @cv.ValidateNested() @cv.IsOptional() address?: Address;
}

/** Forms of known rules that only class-validator's own code judges. */
const NOT_KNOWN = new Set(['MinDate of a function', 'Contains nothing']);

const good = { id: 'o1', items: [{ sku: 'a', amount: 1 }] };

/** Of a check that answers at once. */
function reasonsOf(schema: Class, row: unknown, only?: ReadonlySet<string>): readonly Reason[] | undefined {
  const answer = compileRowCheck(schema).check(row, only);
  if (answer instanceof Promise) throw new Error('an answer at once was expected');
  return answer;
}

function messagesOf(schema: Class, row: unknown): readonly string[] {
  return (reasonsOf(schema, row) ?? []).map(({ message }) => message);
}

describe('a row check', () => {
  it('answers undefined for a valid row', () => {
    expect(reasonsOf(Order, good)).toBeUndefined();
  });

  it('names property, rule and value of each broken rule, by path', () => {
    const row = {
      id: 'o1',
      items: [
        { sku: 'a', amount: 1 },
        { sku: 5, amount: -2 },
      ],
    };
    expect(reasonsOf(Order, row)).toEqual([
      { property: 'items.1.sku', rule: 'isString', value: 5, message: 'items.1.sku: sku must be a string (isString), came 5' },
      { property: 'items.1.amount', rule: 'min', value: -2, message: 'items.1.amount: amount must not be less than 0 (min), came -2' },
    ]);
  });

  it.each([null, undefined, 5, 'text', true, [], [{ id: 'x' }], Symbol('row')])(
    'refuses %o, which is not an object, with one reason',
    (row) => {
      const reasons = reasonsOf(Item, row);
      expect(reasons).toHaveLength(1);
      expect(reasons?.[0]).toMatchObject({ property: '', rule: 'isRow' });
      expect(reasons?.[0]?.message).toContain('a row is an object, not ');
    },
  );

  it('lets properties through that the class does not name', () => {
    expect(reasonsOf(Item, { sku: 'a', amount: 1, more: 'x' })).toBeUndefined();
  });

  it('of a class without rules is empty and only wants objects', () => {
    class Bare {
      name?: string;
    }
    expect(compileRowCheck(Bare)).toMatchObject({ empty: true, mayBeAsync: false });
    expect(reasonsOf(Bare, { name: 1 })).toBeUndefined();
    expect(reasonsOf(Bare, 'x')).toHaveLength(1);
    expect(compileRowCheck(Item).empty).toBe(false);
  });

  it('finds the class of an object by the type that the compiler emitted', () => {
    expect(messagesOf(Order, { ...good, address: { city: 1 } })).toEqual(['address.city: city must be a string (isString), came 1']);
  });

  it('says what to do where the class of nested objects is not known, and takes objects that say it themselves', () => {
    class Basket {
      @cv.ValidateNested({ each: true }) items!: Item[];
    }
    expect(reasonsOf(Basket, { items: [Object.assign(new Item(), { sku: 'a', amount: 1 })] })).toBeUndefined();
    expect(messagesOf(Basket, { items: [Object.assign(new Item(), { sku: 'a', amount: 'x' })] })).toHaveLength(2);
    const check = (): unknown => reasonsOf(Basket, { items: [{ sku: 'a', amount: 1 }] });
    expect(check).toThrow(MillraceError);
    expect(check).toThrow(/@ValidateNested on Basket\.items.*@Type\(\(\) => TheClass\)/);
  });

  it('uses the message that the decorator was given', () => {
    class Told {
      @cv.Min(3, { message: '$property of $target is $value, below $constraint1!' }) a: unknown;
      @cv.IsIn(['x', 'y'], {
        message: ({ value, constraints }) => `${String(value)} is none of ${(constraints[0] as string[]).join('/')}.`,
      })
      b: unknown;
      @cv.IsInt({
        message: () => {
          throw new Error('no message');
        },
      })
      c: unknown;
    }
    expect(messagesOf(Told, { a: 1, b: '$&', c: 'z' })).toEqual([
      'a of Told is 1, below 3 (min), came 1',
      'b: $& is none of x/y (isIn), came "$&"',
      'c: is invalid (isInt), came "z"',
    ]);
  });

  it('answers at once unless a rule answers with a promise', async () => {
    class Slow {
      @cv.IsString() name: unknown;
      @cv.Validate(Never, { message: 'never' }) at: unknown;
    }
    const check = compileRowCheck(Slow);
    expect(check.mayBeAsync).toBe(true);
    const answer = check.check({ name: 1, at: 'x' });
    expect(answer).toBeInstanceOf(Promise);
    expect((await answer)?.map(({ property, rule }) => [property, rule])).toEqual([
      ['name', 'isString'],
      ['at', 'Never'],
    ]);
    expect(compileRowCheck(Order).mayBeAsync).toBe(false);
  });

  it('fails with what a custom constraint throws or rejects with', async () => {
    const broken = new Error('the lookup is down');
    const thrower = (validate: () => boolean | Promise<boolean>) =>
      classOf({ value: [cv.ValidateBy({ name: 'lookup', validator: { validate } })] });
    const rejected = compileRowCheck(thrower(() => Promise.reject(broken))).check({});
    await expect(rejected).rejects.toBe(broken);
    expect(() =>
      compileRowCheck(
        thrower(() => {
          throw broken;
        }),
      ).check({}),
    ).toThrow(broken);
  });

  it('asks a custom constraint once for a row', () => {
    let asked = 0;
    const schema = classOf({
      value: [cv.ValidateBy({ name: 'once', validator: { validate: () => ++asked > 0 } })],
      other: [cv.IsString()],
    });
    expect(reasonsOf(schema, { value: 1, other: 2 })).toHaveLength(1);
    expect(asked).toBe(1);
  });

  it('judges a number such as 1e-7, at which class-validator throws', () => {
    const schema = classOf({ value: [cv.IsNumber({ maxDecimalPlaces: 4 })] });
    expect(reasonsOf(schema, { value: 1e-7 })).toHaveLength(1);
    expect(reasonsOf(classOf({ value: [cv.IsNumber({ maxDecimalPlaces: 7 })] }), { value: 1e-7 })).toBeUndefined();
  });

  it('checks what a getter of the class makes of the row', () => {
    class Sum {
      @cv.IsArray() parts!: number[];
      @cv.Max(10) get total(): number {
        return this.parts.reduce((sum, part) => sum + part, 0);
      }
    }
    expect(reasonsOf(Sum, { parts: [1, 2] })).toBeUndefined();
    expect(messagesOf(Sum, { parts: [8, 9], total: 1 })).toEqual(['total must not be greater than 10 (max), came 17']);
    expect(reasonsOf(Sum, {})?.map(({ property }) => property)).toEqual(['parts', 'total']);
  });

  it('is not confused by names that objects have by themselves', () => {
    const row = JSON.parse('{"sku":"a","amount":1,"__proto__":{"sku":5},"constructor":{"name":"x"},"hasOwnProperty":1}') as object;
    expect(reasonsOf(Item, row)).toBeUndefined();
    expect(reasonsOf(Item, Object.assign(Object.create(null), { sku: 'a', amount: 1 }))).toBeUndefined();
    expect(reasonsOf(Order, { ...good, address: JSON.parse('{"__proto__":{"city":"x"}}') as object })).toHaveLength(1);
    expect(reasonsOf(classOf({ toString: [cv.IsString()] }), {})).toHaveLength(1);
  });

  it('ends on rows that hold themselves', () => {
    class Node {
      @cv.IsString() name!: string;
      @cv.IsOptional() @cv.ValidateNested() @Type(() => Node) next?: Node;
      @cv.IsOptional() @cv.ValidateNested({ each: true }) @Type(() => Node) all?: Node[];
    }
    const first: Record<string, unknown> = { name: 'a' };
    const second = { name: 2, next: first, all: [first] as unknown[] };
    Object.assign(first, { next: second, all: [first, second] });
    second.all.push(second.all);
    expect(reasonsOf(Node, first)?.map(({ property }) => property)).toEqual(['next.name', 'all.1.name']);
  });

  it('checks a projected row on the properties that it kept', () => {
    expect(reasonsOf(Order, { id: 'x' }, new Set(['id']))).toBeUndefined();
    expect(reasonsOf(Order, { id: 1 }, new Set(['id']))).toHaveLength(1);
    expect(reasonsOf(Order, {}, new Set())).toBeUndefined();
    expect(reasonsOf(Order, { items: [{ sku: 'a' }] }, new Set(['items.sku']))).toBeUndefined();
    expect(reasonsOf(Order, { items: [{ sku: 1 }] }, new Set(['items.sku']))?.map(({ property }) => property)).toEqual(['items.0.sku']);
  });

  it('does not give a row the defaults of the class', () => {
    class Defaulted {
      @cv.IsString() unit = 'EUR';
    }
    expect(reasonsOf(Defaulted, {})).toHaveLength(1);
  });
});

@cv.ValidatorConstraint({ async: true })
class Never implements cv.ValidatorConstraintInterface {
  validate(): Promise<boolean> {
    return Promise.resolve(false);
  }
}

describe('secrets in a row check', () => {
  class Account {
    @cv.IsString() user: unknown;
    @cv.MinLength(8, { message: ({ value, object }) => `${String(value)} of ${JSON.stringify(object)} is short` }) password: unknown;
    @cv.Equals('a', { message: ({ object }) => JSON.stringify(object) }) role: unknown;
    @cv.ValidateNested() @Type(() => Item) card: unknown;
  }
  const secrets = (schema: Class): ReadonlySet<string> => new Set(schema === Account ? ['password', 'card'] : []);

  it('never reach a reason', async () => {
    const row = { user: 1, password: 'hunter2', role: 'b', card: { sku: 4711, amount: 'x0815' } };
    const reasons = await compileRowCheck(Account, { secrets }).check(row);
    expect(reasons?.map(({ property }) => property)).toEqual(['user', 'password', 'role', 'card.sku', 'card.amount', 'card.amount']);
    expect(JSON.stringify(reasons)).not.toMatch(/hunter2|4711|0815/);
    expect(reasons?.[1]).toMatchObject({ rule: 'minLength', value: '***' });
    expect(JSON.stringify(await compileRowCheck(Account, { secrets }).check({ ...row, card: 'x0815' }))).not.toContain('0815');
    expect(JSON.stringify(await compileRowCheck(Account, { secrets }).check('hunter2'))).not.toContain('hunter2');
  });
});

describe('rules that are known', () => {
  const constraintsOf = (decorator: (typeof decorators)[string]) =>
    [...rulesOf(classOf({ value: [decorator()] })).values()].flatMap(({ constraints }) => constraints);

  it.each(Object.entries(decorators).filter(([name]) => !NOT_KNOWN.has(name)))('are judged without class-validator: %s', (_, decorator) => {
    for (const constraint of constraintsOf(decorator)) {
      if (knownRules.has(constraint.name)) expect(knownTest(constraint), constraint.name).toBeTypeOf('function');
      expect(answersAtOnce(constraint), constraint.name).toBe(true);
    }
  });

  it('are only those that do what their name says', () => {
    const impostor = cv.ValidateBy({
      name: 'isString',
      validator: { validate: (value) => value === 'x', defaultMessage: () => '$property must be a string' },
    });
    const [constraint] = constraintsOf(() => impostor);
    expect(constraint === undefined ? undefined : knownTest(constraint)).toBeUndefined();
  });
});
