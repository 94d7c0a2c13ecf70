import 'reflect-metadata';
import { Type } from 'class-transformer';
import { describe, expect, it } from 'vitest';
import type { Class } from '../../src/types.js';
import { maskSecrets } from '../../src/validation/mask.js';

class Login {
  user = 'ann';
  password = 'hunter2';
}
class Config {
  name = 'c';
  @Type(() => Login) login: unknown = undefined;
  @Type(() => Login) logins: unknown = undefined;
}
class Free {
  login = new Login();
}
const secrets = (schema: Class): ReadonlySet<string> => new Set(schema === Login || schema.prototype instanceof Login ? ['password'] : []);
const masked = (value: unknown, schema?: Class): unknown => maskSecrets(value, schema, secrets);

describe('maskSecrets', () => {
  it('hides the secrets of the schema in a copy', () => {
    const row = { user: 'ann', password: 'hunter2' };
    expect(masked(row, Login)).toEqual({ user: 'ann', password: '***' });
    expect(row.password).toBe('hunter2');
    expect(masked([row, { user: 'bob' }], Login)).toEqual([{ user: 'ann', password: '***' }, { user: 'bob' }]);
  });

  it('hides whatever kind of value a secret is, save that it is absent', () => {
    expect(masked({ password: { deep: 1 } }, Login)).toEqual({ password: '***' });
    expect(masked({ password: null }, Login)).toEqual({ password: '***' });
    expect(masked({ password: undefined }, Login)).toEqual({ password: undefined });
  });

  it('hides the secrets of nested schemas, in arrays, Sets and Maps too', () => {
    const plain = { user: 'ann', password: 'hunter2' };
    const row = { name: 'c', login: plain, logins: [plain, new Set([plain]), new Map([['k', plain]])] };
    const hidden = { user: 'ann', password: '***' };
    expect(masked(row, Config)).toEqual({ name: 'c', login: hidden, logins: [hidden, new Set([hidden]), new Map([['k', hidden]])] });
  });

  it('hides the secrets of objects that say their class themselves', () => {
    class Admin extends Login {}
    expect(masked({ at: [new Login(), new Admin()] })).toEqual({
      at: [
        { user: 'ann', password: '***' },
        { user: 'ann', password: '***' },
      ],
    });
    expect(masked(new Free(), Free)).toEqual({ login: { user: 'ann', password: '***' } });
    expect(masked({ free: new Free() })).toEqual({ free: { login: { user: 'ann', password: '***' } } });
  });

  it('returns what holds no secret as it is', () => {
    const value = { at: new Date(), list: [1, { a: 1 }], map: new Map([[1, 2]]), set: new Set([1]), bytes: Buffer.from('x') };
    expect(masked(value)).toBe(value);
    expect(masked('text', Login)).toBe('text');
  });

  it('ends on a value that holds itself, and keeps odd names harmless', () => {
    const value: Record<string, unknown> = { login: new Login() };
    value['self'] = value;
    expect(masked(value)).toEqual({ login: { user: 'ann', password: '***' }, self: '[circular]' });
    const odd = masked(JSON.parse('{"password":"x","__proto__":{"a":1}}'), Login) as object;
    expect(Object.getPrototypeOf(odd)).toBe(Object.prototype);
  });
});
