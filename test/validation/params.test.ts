import 'reflect-metadata';
import { Type } from 'class-transformer';
import * as cv from 'class-validator';
import { describe, expect, it } from 'vitest';
import type { Class } from '../../src/types.js';
import { createParams } from '../../src/validation/params.js';

class Source {
  @cv.IsString() url = 'https://example.com';
  @cv.IsInt() retries = 2;
  @cv.IsOptional() @cv.IsString() token?: string;
}
class Params {
  @cv.IsString() base = 'EUR';
  @cv.IsOptional() @cv.IsNumber() limit?: number;
  @cv.IsOptional() @cv.IsDate() since?: Date;
  @cv.ValidateNested() source = new Source();
  @cv.ValidateNested({ each: true }) @Type(() => Source) more: Source[] = [];
}
const secrets = (schema: Class): ReadonlySet<string> => new Set(schema === Source ? ['token'] : []);

async function refusalOf(schema: Class, values: object): Promise<string> {
  const error: unknown = await createParams(schema, values, { secrets }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: 'MillraceError', code: 'PARAMS_INVALID' });
  return (error as Error).message;
}

describe('params', () => {
  it('are an instance of their class with its defaults', async () => {
    const params = await createParams(Params, {});
    expect(params).toBeInstanceOf(Params);
    expect(params).toEqual(new Params());
  });

  it('take the given values, and keep a default where undefined is given', async () => {
    expect(await createParams(Params, { base: undefined, limit: 5 })).toMatchObject({ base: 'EUR', limit: 5 });
    expect(await createParams(Params, { base: 'USD' })).toMatchObject({ base: 'USD' });
  });

  it('make instances of nested objects, over the defaults of theirs', async () => {
    const params = (await createParams(Params, { source: { retries: 0 }, more: [{ url: 'x' }, {}] })) as Params;
    expect(params.source).toBeInstanceOf(Source);
    expect(params.source).toMatchObject({ url: 'https://example.com', retries: 0 });
    expect(params.more.map((one) => [one instanceof Source, one.url])).toEqual([
      [true, 'x'],
      [true, 'https://example.com'],
    ]);
  });

  it('share no object with other params', async () => {
    const [one, two] = (await Promise.all([createParams(Params, {}), createParams(Params, {})])) as [Params, Params];
    expect(one.source).not.toBe(two.source);
  });

  it('tell every fault at once, with path, rule and value, and the nearest name', async () => {
    const message = await refusalOf(Params, {
      bse: 'USD',
      base: 5,
      limit: 'many',
      source: { retires: 1, retries: 1.5 },
      more: [{ url: 0 }],
    });
    expect(message).toBe(
      [
        "Params is invalid: unknown parameter 'bse': Did you mean 'base'?",
        "unknown parameter 'source.retires': Did you mean 'source.retries'?",
        'base must be a string (isString), came 5',
        'limit must be a number conforming to the specified constraints (isNumber), came "many"',
        'source.retries: retries must be an integer number (isInt), came 1.5',
        'more.0.url: url must be a string (isString), came 0',
      ].join('; '),
    );
  });

  it('are not converted', async () => {
    expect(await refusalOf(Params, { since: '2024-01-01' })).toContain('isDate');
    expect(await createParams(Params, { since: new Date(0) })).toMatchObject({ since: new Date(0) });
  });

  it('keep secrets out of the message', async () => {
    const message = await refusalOf(Params, { source: { token: 4711, retries: 'x' } });
    expect(message).toContain('source.token: token must be a string (isString), came "***"');
    expect(message).not.toContain('4711');
    expect(await refusalOf(Params, { source: 4711, more: { token: 4712, x: 1 } })).not.toContain('4712');
  });

  it('of a class without rules know the names of its defaults, and where it has none take any', async () => {
    class Plain {
      base = 'EUR';
    }
    class Open {}
    expect(await createParams(Plain, { base: 5 })).toEqual(Object.assign(new Plain(), { base: 5 }));
    expect(await refusalOf(Plain, { bas: 5 })).toContain("'base'");
    const open = await createParams(Open, { anything: [1] });
    expect(open).toBeInstanceOf(Open);
    expect(open).toEqual({ anything: [1] });
  });

  it('never change a prototype', async () => {
    class Open {}
    const values = JSON.parse('{"__proto__":{"admin":true}}') as object;
    expect(await refusalOf(Open, values)).toContain("unknown parameter '__proto__'");
    expect(await refusalOf(Params, values)).toContain("unknown parameter '__proto__'");
    expect('admin' in {}).toBe(false);
  });

  it('wait for asynchronous rules', async () => {
    class Late {
      @cv.ValidateBy({
        name: 'late',
        validator: { validate: (value) => Promise.resolve(value === 'ok'), defaultMessage: () => '$property came late' },
      })
      name = 'ok';
    }
    expect(await createParams(Late, {})).toMatchObject({ name: 'ok' });
    expect(await refusalOf(Late, { name: 'no' })).toBe('Late is invalid: name came late (late), came "no"');
  });

  it('say so where their class cannot be made or a value cannot be set', async () => {
    class Choosy {
      constructor(readonly given: { readonly name: string }) {
        if (given.name === '') throw new Error('no name');
      }
    }
    class Derived {
      @cv.IsInt() get two(): number {
        return 2;
      }
    }
    expect(await refusalOf(Choosy, {})).toMatch(/Choosy cannot be made: its constructor threw TypeError/);
    expect(await refusalOf(Derived, { two: 3 })).toBe('Derived is invalid: two cannot be set (readOnly), came 3');
  });
});
