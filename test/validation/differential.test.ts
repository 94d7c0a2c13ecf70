// class-validator itself says what is right: the same verdict, the same properties, the same rules.
import 'reflect-metadata';
import { inspect } from 'node:util';
import { plainToInstance, Type } from 'class-transformer';
import * as cv from 'class-validator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classOf, checkOf, expectedOf, foundOf } from './oracle.js';
import { decorators, oddValues, values, type Decorator } from './decorators.js';

const every = [...values, ...oddValues];

async function sameForEvery(schema: ReturnType<typeof classOf>, rows: readonly object[]): Promise<void> {
  const check = checkOf(schema);
  let thrown = 0;
  for (const row of rows) {
    const expected = await expectedOf(Object.assign(new schema(), row));
    const found = await foundOf(check, row);
    if (expected === 'threw') thrown++;
    else expect(found, inspect(row)).toEqual(expected);
    if (expected === 'threw') continue;
    const messages = (await check.check(row))?.map(({ message }) => message).join('\n') ?? '';
    for (const { constraints } of await cv.validate(Object.assign(new schema(), row))) {
      for (const text of Object.values(constraints ?? {})) expect(messages).toContain(text.replace(/[.!]$/, ''));
    }
  }
  expect(thrown).toBeLessThanOrEqual(rows.length / 4); // few values make class-validator itself throw
}

const isOn = (row: object): boolean => (row as { on?: boolean }).on === true;

/** A value in different wrappings, by its index. */
function wrapped(value: unknown, at: number): unknown {
  const other = every[(at * 7 + 3) % every.length];
  return [value, [value], [value, other], new Set([other, value]), new Map([['k', value]])][at % 5];
}

describe('row checks against class-validator', () => {
  it('are compared on more than 60 of its decorators', () => {
    const names = new Set(Object.keys(decorators).map((name) => String(name.split(' ')[0])));
    expect(names.size).toBeGreaterThanOrEqual(60);
    for (const name of names) expect(cv).toHaveProperty(name);
  });

  it.each(Object.entries(decorators))('agree on %s: alone, with each, optional, conditional', async (_, decorator) => {
    const schema = classOf({
      alone: [decorator()],
      each: [decorator({ each: true, message: 'not all' })],
      optional: [cv.IsOptional(), decorator()],
      conditional: [cv.ValidateIf(isOn), decorator()],
      kept: [cv.IsDefined(), decorator({ validateIf: isOn })],
    });
    const rows = every.map((value, at) => ({
      on: at % 3 === 0,
      alone: value,
      each: wrapped(value, at),
      optional: value,
      conditional: value,
      kept: value,
    }));
    await sameForEvery(schema, [{}, { each: [, 'a'] }, ...rows]);
  });

  it('agree on classes of several properties, with rules of all kinds, own and inherited', async () => {
    const decorator = fc.oneof(
      fc.constantFrom<Decorator>(
        cv.IsOptional(),
        cv.IsDefined(),
        cv.Allow(),
        cv.ValidateIf((_, value) => value !== 'a'),
      ),
      fc
        .tuple(fc.constantFrom(...Object.values(decorators)), fc.boolean(), fc.boolean())
        .map(([make, each, group]) => make({ each, ...(group ? { groups: ['g'] } : {}) })),
    );
    const properties = fc.dictionary(fc.constantFrom('a', 'b', 'c', '0', 'toJSON'), fc.array(decorator, { minLength: 1, maxLength: 3 }), {
      minKeys: 1,
      maxKeys: 4,
    });
    const row = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd', '0', 'toJSON'),
      fc.oneof(fc.constantFrom(...every), fc.array(fc.constantFrom(...every), { maxLength: 3 })),
    );
    const property = fc.asyncProperty(
      properties,
      fc.option(properties),
      fc.array(row, { minLength: 1, maxLength: 8 }),
      async (own, inherited, rows) => {
        const schema = classOf(own, inherited === null ? undefined : classOf(inherited));
        await sameForEvery(schema, rows);
      },
    );
    await fc.assert(property, { seed: 20_240_229, numRuns: 150 });
  });
});

class Leaf {
  @cv.IsString() name!: string;
  @cv.IsOptional() @cv.IsNumber() size?: number;
}
class NoRules {
  name?: string;
}
class Circle {
  @cv.IsIn(['circle']) kind!: string;
  @cv.IsPositive() radius!: number;
}
class Square {
  @cv.IsIn(['square']) kind!: string;
  @cv.IsPositive() side!: number;
}
class Tree {
  @cv.IsString() name!: string;
  @cv.IsOptional() @cv.ValidateNested() @Type(() => Tree) left?: Tree;
  @cv.IsOptional() @cv.IsArray() @cv.ArrayMaxSize(2) @cv.ValidateNested({ each: true }) @Type(() => Tree) children?: Tree[];
}
class Branch {
  @cv.ValidateNested() @Type(() => Leaf) leaf!: Leaf;
  @cv.IsDefined() @cv.ValidateNested({ each: true }) @Type(() => Leaf) leaves!: Leaf[];
  @cv.IsOptional() @cv.ValidateNested() @Type(() => NoRules) bare?: NoRules;
  @cv.IsOptional() @cv.ValidateNested() @Type(() => Leaf) byName?: Map<string, Leaf>;
  @cv.ValidateNested()
  @Type(() => Circle, {
    keepDiscriminatorProperty: true,
    discriminator: {
      property: 'kind',
      subTypes: [
        { name: 'circle', value: Circle },
        { name: 'square', value: Square },
      ],
    },
  })
  shape?: Circle | Square;
  @cv.ValidateNested() @Type((options) => ((options?.object as { square?: boolean }).square === true ? Square : Circle)) chosen?:
    Circle | Square;
  @cv.IsOptional() @cv.ValidateNested({ message: 'no tree', groups: ['x'] }) @Type(() => Tree) tree?: Tree;
}
class Thicket extends Branch {
  @cv.IsOptional() @cv.IsBoolean() dense?: boolean;
  @cv.IsDefined() declare leaves: Leaf[];
}

const leaf = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ name: fc.constantFrom('a', 'b'), size: fc.constantFrom<unknown>(1, undefined) }, { requiredKeys: ['name'] }),
  },
  fc.record(
    { name: fc.constantFrom<unknown>('a', 1, null), size: fc.constantFrom<unknown>(1, 'x', null), extra: fc.constant(1) },
    { requiredKeys: [] },
  ),
  fc.constantFrom<unknown>(null, undefined, 'leaf', 5, true, new Date(0), []),
);
const shape = fc.oneof(
  fc.record(
    {
      kind: fc.constantFrom<unknown>('circle', 'square', 'none', undefined),
      radius: fc.constantFrom(1, -1),
      side: fc.constantFrom(1, 'x'),
    },
    { requiredKeys: ['kind'] },
  ),
  fc.constantFrom<unknown>(undefined, null, 3, {}),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.record(
    {
      name: fc.constantFrom<unknown>('t', 't', 't', 4),
      left: fc.oneof({ depthSize: 'small' }, fc.constantFrom<unknown>(undefined, null, 7), tie('tree')),
      children: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom<unknown>(undefined, null, 'x', []),
        fc.array(tie('tree'), { maxLength: 3 }),
      ),
    },
    { requiredKeys: ['name'] },
  ),
}));
const branch = fc.record(
  {
    leaf,
    leaves: fc.oneof(
      { weight: 3, arbitrary: fc.array(fc.oneof({ weight: 5, arbitrary: leaf }, fc.array(leaf, { maxLength: 2 })), { maxLength: 4 }) },
      leaf,
    ),
    bare: fc.constantFrom<unknown>(undefined, null, {}, { name: 'x' }, [{}]),
    byName: fc.oneof(fc.constantFrom<unknown>(undefined, null), fc.dictionary(fc.constantFrom('k', 'l'), leaf, { noNullPrototype: true })),
    shape: fc.oneof(
      shape,
      fc.array(
        shape.filter((one) => typeof one === 'object' && one !== null),
        { maxLength: 2 },
      ),
    ),
    chosen: shape,
    square: fc.boolean(),
    tree,
    dense: fc.constantFrom<unknown>(true, 'yes'),
  },
  { requiredKeys: [] },
);

describe('row checks of nested classes against class-validator with class-transformer', () => {
  it.each([Branch, Thicket, Tree] as const)('agree on %o', async (schema) => {
    const check = checkOf(schema);
    let valid = 0;
    const rows = fc.asyncProperty(schema === Tree ? tree : branch, async (row) => {
      const expected = await expectedOf(plainToInstance(schema as typeof Branch, structuredClone(row)));
      expect(await foundOf(check, row)).toEqual(expected);
      if (expected.length === 0) valid++;
    });
    await fc.assert(rows, { seed: 7, numRuns: 400 });
    expect(valid).toBeGreaterThan(0);
  });

  it('agree on instances in arrays, Sets and Maps', async () => {
    class Grove {
      @cv.ValidateNested({ each: true }) @cv.IsInstance(Leaf, { each: true }) leaves: unknown;
    }
    const good = Object.assign(new Leaf(), { name: 'a' });
    const bad = Object.assign(new Leaf(), { name: 1, size: 'x' });
    for (const leaves of [
      good,
      bad,
      [good, bad],
      new Set([bad, good]),
      new Map([
        ['k', bad],
        ['l', good],
      ]),
      [[bad]],
      [new Set([bad])],
      new Thing(),
      undefined,
      null,
      5,
    ]) {
      const expected = await expectedOf(Object.assign(new Grove(), { leaves }));
      expect(await foundOf(checkOf(Grove), { leaves })).toEqual(expected);
    }
  });
});

class Thing {}

describe('row checks of custom constraints against class-validator', () => {
  @cv.ValidatorConstraint({ name: 'shout' })
  class Shout implements cv.ValidatorConstraintInterface {
    validate(value: unknown, given: cv.ValidationArguments): boolean {
      const { constraints, object, property, targetName } = given;
      return typeof value === 'string' && value.endsWith(constraints[0]) && property in object && targetName === 'Custom';
    }
  }
  @cv.ValidatorConstraint({ async: true })
  class Late implements cv.ValidatorConstraintInterface {
    async validate(value: unknown): Promise<boolean> {
      await Promise.resolve();
      return value !== 'late';
    }
  }
  /** Of the name and the type of a built-in rule, but another rule. */
  const IsString =
    (property: string, options?: cv.ValidationOptions): Decorator =>
    (target, name) =>
      cv.registerDecorator({
        name: 'isString',
        target: target.constructor,
        propertyName: name,
        constraints: [property],
        ...(options === undefined ? {} : { options }),
        validator: {
          validate: (value, given) =>
            typeof value === 'string' && value === (given?.object as Record<string, unknown> | undefined)?.[property],
          defaultMessage: () => '$property must be a string',
        },
      });
  class Unregistered {
    validate(): boolean {
      return false;
    }
  }
  class Custom {
    @cv.Validate(Shout, ['!']) a: unknown;
    @cv.Validate(Late, { each: true, message: 'too late' }) b: unknown;
    @IsString('a') c: unknown;
    @cv.Validate(Unregistered) d: unknown;
    @cv.ValidatePromise() @cv.IsString() e: unknown;
    @cv.IsOptional() @cv.ValidateNested({ each: true }) @Type(() => Custom) more: unknown;
  }

  it('agrees', async () => {
    const value = fc.constantFrom<unknown>('x!', 'x', 'late', 1, undefined, ['late', 'x'], ['x']);
    const row = fc.record({
      a: value,
      b: value,
      c: value,
      d: value,
      e: fc.oneof(
        value,
        value.map((one) => Promise.resolve(one)),
      ),
    });
    const property = fc.asyncProperty(row, fc.array(row, { maxLength: 2 }), async (outer, inner) => {
      const found = await foundOf(checkOf(Custom), { ...outer, more: inner });
      const more = inner.map((one) => Object.assign(new Custom(), one));
      expect(found).toEqual(await expectedOf(Object.assign(new Custom(), { ...outer, more })));
    });
    await fc.assert(property, { seed: 1, numRuns: 200 });
    expect(checkOf(Custom).mayBeAsync).toBe(true);
  });
});
