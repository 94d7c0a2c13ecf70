import { describe, expect, it } from 'vitest';
import { Depends } from '../../src/decorators/depends.js';
import { Input } from '../../src/decorators/input.js';
import { Output } from '../../src/decorators/output.js';
import { Params } from '../../src/decorators/params.js';
import { Processor } from '../../src/decorators/processor.js';
import { Secret } from '../../src/decorators/secret.js';
import { getProcessorSpec, secretsOf } from '../../src/metadata/registry.js';
import { Scope, type Binding, type Class } from '../../src/types.js';
import { refusal } from './refusal.js';

class Raw {
  sku!: string;
}
/** A decorator as plain JavaScript calls it. */
type Loose = (options?: unknown, ...more: unknown[]) => (...target: unknown[]) => void;
const loose = (decorator: unknown): Loose => decorator as Loose;

const fields = [
  ['@Input()', loose(Input), undefined],
  ['@Output()', loose(Output), undefined],
  ['@Params()', loose(Params), { schema: Raw }],
  ['@Secret()', loose(Secret), undefined],
  ['@Depends()', loose(Depends), undefined],
] as const;

describe.each(fields)('%s where it cannot be', (name, decorator, options) => {
  class Target {
    static make(): void {}
    run(): void {}
    get total(): number {
      return 0;
    }
  }
  const apply = (...target: unknown[]): string => {
    const error = refusal(() => {
      decorator(options)(...target);
    });
    expect(error).toMatchObject({ code: 'DECORATOR_MISUSED', where: [expect.stringMatching(/^test\/decorators\/port\.test\.ts:\d+$/)] });
    return error.message;
  };
  const accessor = { get: () => 1, set: () => undefined, configurable: true, enumerable: true };

  it.each([
    ['a class', [Target], 'Target', 'class'],
    ['a static property', [Target, 'make', undefined], 'static Target.make', 'static property'],
    ['a method', [Target.prototype, 'run', Object.getOwnPropertyDescriptor(Target.prototype, 'run')], 'Target.run', 'method'],
    ['a method, by hand', [Target.prototype, 'run'], 'Target.run', 'method'],
    ['a getter', [Target.prototype, 'total', Object.getOwnPropertyDescriptor(Target.prototype, 'total')], 'Target.total', 'accessor'],
    ['an `accessor` field', [Target.prototype, 'auto', accessor], 'Target.auto', 'accessor'],
    ['a symbol', [Target.prototype, Symbol('raw'), undefined], 'Target.[Symbol(raw)]', 'symbol'],
    ['a number', [Target.prototype, 1, undefined], 'Target.1', '1 is no name of a property'],
    ['an instance', [new Target(), 'raw'], '{}.raw', 'prototype of a class'],
    ['nothing', [], 'undefined', 'prototype of a class'],
  ])('is refused on %s', (_, target, place, problem) => {
    const message = apply(...target);
    expect(message).toMatch(new RegExp(`^${name.replace(/[()]/g, '\\$&')} on `));
    expect(message).toContain(` on ${place} (`);
    expect(message).toContain(problem);
  });

  it('is refused on the parameter of a method', () => {
    expect(apply(Target.prototype, 'run', 0)).toContain('on parameter 1 of Target.run() (');
    expect(apply(Target, 'make', 1)).toContain('on parameter 2 of static Target.make() (');
  });

  it('is refused without parentheses', () => {
    const bare = name.replace('()', '');
    expect(refusal(() => decorator(Target.prototype, 'raw', undefined)).message).toMatch(
      new RegExp(`^${bare} on Target\\.raw \\(test\\S+:\\d+\\): it is used without parentheses: write ${bare}\\(\\)\\.$`),
    );
  });

  it('is refused without parentheses on a class', () => {
    if (name === '@Depends()') return; // its first argument may be a class by mistake: see depends.test.ts
    expect(refusal(() => decorator(Target)).message).toContain(`${name.replace('()', '')} on Target (`);
  });

  it('is refused as a standard decorator, with the setting to make', () => {
    const context = { kind: 'field', name: 'raw', static: false, private: false, addInitializer: () => undefined };
    expect(apply(undefined, context)).toMatch(/on field 'raw' \(.*"experimentalDecorators": true/);
    expect(refusal(() => decorator(undefined, context)).message).toContain('"experimentalDecorators": true');
  });

  it('is refused once its class is in use', () => {
    class Late {}
    Processor()(Late);
    getProcessorSpec(Late);
    expect(apply(Late.prototype, name === '@Params()' ? 'params' : 'raw')).toContain('Late is in use already');
  });

  it('is taken on a field with the descriptor that Babel passes', () => {
    class Babel {}
    expect(() => {
      decorator(options)(Babel.prototype, 'params', { configurable: true, initializer: null, value: undefined });
    }).toSatisfy((act: () => void) => {
      if (name === '@Input()' || name === '@Output()') return refusal(act).message.includes("'params' is the input");
      act();
      return true;
    });
  });
});

describe.each(fields)('%s on a constructor parameter', (name, decorator, options) => {
  it(name === '@Depends()' ? 'is taken' : 'is refused', () => {
    class Target {}
    const act = (): void => {
      decorator(options)(Target, undefined, 0);
    };
    if (name === '@Depends()') act();
    else expect(refusal(act).message).toContain(`${name} on constructor parameter 1 of Target (`);
  });
});

describe('one property', () => {
  const pairs = fields
    .filter(([name]) => name !== '@Secret()')
    .flatMap((first) => fields.filter(([name]) => name !== '@Secret()').map((second) => [first, second] as const));
  it.each(pairs.map(([first, second]) => [first[0], second[0], first, second] as const))(
    '%s and %s: one is refused',
    (_, __, first, second) => {
      class Target {}
      const property = [first[0], second[0]].includes('@Params()') ? 'params' : 'x';
      const apply = ([, decorator, options]: (typeof fields)[number]): void => {
        decorator(options)(Target.prototype, property, undefined);
      };
      const ports = (one: string): boolean => one === '@Input()' || one === '@Output()';
      if (property === 'params' && ports(first[0])) {
        expect(
          refusal(() => {
            apply(first);
          }).message,
        ).toContain("'params' is the input that @Params() declares");
        return;
      }
      apply(first);
      const message = refusal(() => {
        apply(second);
      }).message;
      expect(message).toContain(
        property === 'params' && ports(second[0]) ? "'params' is the input" : `the property has ${first[0]} already (test`,
      );
    },
  );
});

describe.each([fields[0], fields[1]] as const)('options of %s', (name, decorator) => {
  const apply = (options: unknown): string => {
    class Target {}
    const error = refusal(() => {
      decorator(options)(Target.prototype, 'raw', undefined);
    });
    expect(error.code).toBe('DECORATOR_MISUSED');
    expect(error.message).toMatch(new RegExp(`^${name.replace(/[()]/g, '\\$&')} on Target\\.raw \\(test\\S+:\\d+\\): `));
    return error.message;
  };

  it.each([
    [{ shema: Raw }, "option 'shema' is not known. Did you mean 'schema'?"],
    [{ schema: 'Raw' }, 'option \'schema\' must be a class, not "Raw".'],
    [{ schema: {} }, "option 'schema' must be a class, not {}."],
    [{ schema: () => Raw }, "option 'schema' must be a class, not"],
    [{ schema: undefined }, "option 'schema' is undefined: the class is used before it is defined."],
    [
      { onInvalid: 'rejects' },
      "option 'onInvalid' must be one of 'fail', 'reject', 'warn', 'off', not \"rejects\". Did you mean 'reject'?",
    ],
    [{ onInvalid: true }, 'not true'],
    [{ binding: 5 }, "option 'binding' must be a string such as 'prices', or what collection(), file(), rows() or sink() made, not 5."],
    [{ binding: [{ sku: 'a' }] }, "option 'binding' must be"],
    [{ rejects: ['bad'] }, "option 'rejects' must be a string"],
    [{ optional: 'yes' }, 'option \'optional\' must be true or false, not "yes".'],
    [{ name: '' }, "option 'name' must be a string with a letter in it"],
    [{ name: 'params' }, "'params' is the input that @Params() declares: give the port another name."],
    [{ constructor: Raw }, "option 'constructor' is not known."],
    ['raw', 'the options must be an object such as { name: … }, not "raw".'],
  ])('refuses %o', (options, message) => {
    expect(apply(options)).toContain(message);
  });

  it('takes any binding object and any name', () => {
    class Target {}
    const binding: Binding<unknown> = { kind: 'rows', toString: () => 'rows' };
    decorator({ binding, name: 'Вход', title: undefined })(Target.prototype, 'raw', undefined);
    Processor()(Target);
    const { inputs, outputs } = getProcessorSpec(Target);
    expect([...inputs, ...outputs]).toMatchObject([{ binding, name: 'Вход', property: 'raw' }]);
  });

  it('refuses the property params', () => {
    class Target {}
    expect(
      refusal(() => {
        decorator({ name: 'x' })(Target.prototype, 'params', undefined);
      }).message,
    ).toContain('give the property another name');
  });
});

describe('options of one kind of port', () => {
  const apply = (decorator: unknown, options: unknown): string =>
    refusal(() => {
      loose(decorator)(options)(class Target {}.prototype, 'x', undefined);
    }).message;
  it.each([
    [Input, { mode: 'append' }, "option 'mode' is not known."],
    [Input, { readonly: true }, "option 'readonly' is not known. Did you mean 'readOnly'?"],
    [Input, { readOnly: 1 }, "option 'readOnly' must be true or false, not 1."],
    [Input, { rereads: 1 }, "option 'rereads' must be"],
    [Output, { mode: 'upsrt' }, "option 'mode' must be one of 'replace', 'append', 'upsert', not \"upsrt\". Did you mean 'upsert'?"],
    [Output, { key: 5 }, "option 'key' must be the name of a property or an array of such names, not 5."],
    [Output, { key: [] }, "option 'key' must be"],
    [Output, { key: ['a', ''] }, "option 'key' must be"],
    [Output, { overwrite: 'yes' }, "option 'overwrite' must be"],
    [Output, { atomic: 0 }, "option 'atomic' must be"],
    [Output, { readOnly: true }, "option 'readOnly' is not known."],
  ])('%o refuses %o', (decorator, options, message) => {
    expect(apply(decorator, options)).toContain(message);
  });

  it('leaves upsert without a key to the check of bindings, which may bring one', () => {
    class Target {}
    Output({ mode: 'upsert' })(Target.prototype as { x: never }, 'x');
    Processor()(Target);
    expect(getProcessorSpec(Target).outputs[0]).toMatchObject({ mode: 'upsert' });
  });
});

describe('@Params', () => {
  const apply = (options: unknown, property = 'params'): string =>
    refusal(() => {
      loose(Params)(options)(class Target {}.prototype, property, undefined);
    }).message;

  it.each([
    [undefined, "option 'schema' is missing."],
    [{}, "option 'schema' is missing."],
    [{ schema: undefined }, "option 'schema' is undefined"],
    [{ schema: 1 }, "option 'schema' must be a class, not 1."],
    [{ schema: Raw, binding: 'x' }, "option 'binding' is not known."],
  ])('refuses the options %o', (options, message) => {
    expect(apply(options)).toContain(message);
  });

  it('refuses a field of another name, with the reason', () => {
    expect(apply({ schema: Raw }, 'settings')).toMatch(
      /^@Params\(\) on Target\.settings .*named 'params', by which tasks and the CLI bind it: rename the field to 'params'\.$/,
    );
  });
});

describe('@Secret', () => {
  class Login {
    @Secret() password!: string;
    user!: string;
  }
  class Token extends Login {
    @Secret() token!: string;
    @Secret() declare user: string;
  }

  it('marks fields, inherited ones included', () => {
    expect([...secretsOf(Login)]).toEqual(['password']);
    expect([...secretsOf(Token)]).toEqual(['password', 'token', 'user']);
    expect(secretsOf(Raw).size).toBe(0);
    expect(secretsOf(Token)).toBe(secretsOf(Token));
  });

  it('is refused on a port of a processor, where it would be overlooked', () => {
    class Target {}
    Params({ schema: Raw })(Target.prototype as { params: Raw }, 'params');
    Secret()(Target.prototype, 'params');
    expect(
      refusal(() => {
        Processor()(Target as Class);
      }).message,
    ).toMatch(/^@Secret\(\) on Target\.params .*write @Secret\(\) on the fields of its schema class\.$/);
  });

  it('takes no notice of an injected field', () => {
    class Target {}
    Depends(Scope.Task, Raw)(Target.prototype as { raw: Raw }, 'raw');
    Secret()(Target.prototype, 'raw');
    expect(() => {
      Processor()(Target);
    }).not.toThrow();
  });
});
