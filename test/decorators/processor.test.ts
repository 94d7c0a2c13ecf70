import { describe, expect, it } from 'vitest';
import { Depends } from '../../src/decorators/depends.js';
import { Input } from '../../src/decorators/input.js';
import { Output } from '../../src/decorators/output.js';
import { Params } from '../../src/decorators/params.js';
import { Processor } from '../../src/decorators/processor.js';
import { findProcessorSpec, getProcessorSpec } from '../../src/metadata/registry.js';
import { Scope, type Class, type ProcessorOptions, type Reader, type Writer } from '../../src/types.js';
import { refusal } from './refusal.js';

class Raw {
  sku!: string;
}
class Price {
  euros!: number;
}
class PriceParams {
  base = 'EUR';
}

@Processor({ title: 'Normalise', description: 'All in one currency', tags: ['daily'], timeout: 500, retry: { attempts: 2 } })
class Normalise {
  @Params({ schema: PriceParams, title: 'Parameters' }) readonly params!: PriceParams;
  @Output({ schema: Price, binding: 'prices', mode: 'upsert', key: 'sku' }) readonly prices!: Writer<Price>;
  @Input({ schema: Raw, title: 'Raw', binding: 'raw', readOnly: true, onInvalid: 'reject', rejects: 'bad' }) readonly raw!: Reader<Raw>;
  @Input({ name: 'extra rows', optional: true, rereads: true }) readonly extra!: Reader<Raw>;
  @Depends(Scope.Worker, Price) readonly other!: Price;
  run(): void {}
}

describe('@Processor', () => {
  it('gathers what the class declares, by kind and in order', () => {
    const spec = getProcessorSpec(Normalise);
    expect(spec).toMatchObject({
      class: Normalise,
      name: 'Normalise',
      title: 'Normalise',
      description: 'All in one currency',
      tags: ['daily'],
      timeout: 500,
      retry: { attempts: 2 },
      params: { property: 'params', schema: PriceParams, title: 'Parameters' },
      hasAction: true,
    });
    expect(spec.inputs).toMatchObject([
      {
        kind: 'input',
        name: 'raw',
        property: 'raw',
        schema: Raw,
        title: 'Raw',
        binding: 'raw',
        optional: false,
        onInvalid: 'reject',
        rejects: 'bad',
        readOnly: true,
        rereads: false,
      },
      { kind: 'input', name: 'extra rows', property: 'extra', optional: true, onInvalid: 'fail', readOnly: false, rereads: true },
    ]);
    expect(spec.outputs).toMatchObject([
      { kind: 'output', name: 'prices', schema: Price, mode: 'upsert', key: ['sku'], overwrite: false, atomic: true },
    ]);
  });

  it('leaves out what was not said', () => {
    @Processor()
    class Bare {
      @Input() readonly rows!: Reader<Raw>;
      @Output({ title: undefined } as object) readonly out!: Writer<Raw>;
    }
    const spec = getProcessorSpec(Bare);
    expect(Object.keys(spec).sort()).toEqual(['class', 'hasAction', 'inputs', 'name', 'outputs', 'tags', 'where']);
    expect(spec.tags).toEqual([]);
    expect(Object.keys(spec.inputs[0] ?? {}).sort()).toEqual([
      'kind',
      'name',
      'onInvalid',
      'optional',
      'property',
      'readOnly',
      'rereads',
      'where',
    ]);
    expect(Object.keys(spec.outputs[0] ?? {}).sort()).toEqual([
      'atomic',
      'kind',
      'name',
      'onInvalid',
      'optional',
      'overwrite',
      'property',
      'where',
    ]);
  });

  it('makes the spec once, and nobody can change it', () => {
    const spec = getProcessorSpec(Normalise);
    expect(getProcessorSpec(Normalise)).toBe(spec);
    for (const part of [
      spec,
      spec.inputs,
      spec.outputs,
      spec.tags,
      spec.retry,
      spec.params,
      spec.inputs[0],
      spec.outputs[0],
      spec.outputs[0]?.key,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('is not changed by what the user does to the options afterwards', () => {
    const options = { tags: ['a'], retry: { attempts: 2 } };
    @Processor(options)
    class Copied {}
    options.tags.push('b');
    options.retry.attempts = 9;
    expect(getProcessorSpec(Copied)).toMatchObject({ tags: ['a'], retry: { attempts: 2 } });
  });

  it('knows the line of each decorator', () => {
    const spec = getProcessorSpec(Normalise);
    const lines = [spec, spec.params, ...spec.outputs, ...spec.inputs].map((one) =>
      Number(/^test\/decorators\/processor\.test\.ts:(\d+)$/.exec(one?.where ?? '')?.[1]),
    );
    const first = lines[0] ?? NaN;
    expect(lines).toEqual([first, first + 2, first + 3, first + 4, first + 5]);
  });

  it('takes a class by its own name or the one given', () => {
    @Processor({ name: 'clean prices' })
    class Named {}
    expect(getProcessorSpec(Named).name).toBe('clean prices');
    const nameless = [class {}].map((one) => one);
    Processor({ name: 'given' })(nameless[0] as Class);
    expect(getProcessorSpec(nameless[0] as Class).name).toBe('given');
  });

  it('refuses a class without any name', () => {
    const nameless = [class {}][0] as Class;
    expect(
      refusal(() => {
        Processor()(nameless);
      }),
    ).toMatchObject({
      code: 'DECORATOR_MISUSED',
      message: expect.stringMatching(
        /^@Processor\(\) on \(anonymous class\) \(test\/decorators\/processor\.test\.ts:\d+\): .*name/,
      ) as string,
    });
  });

  it('sees an action that is a method, own or inherited', () => {
    abstract class Base {
      abstract run(): void;
    }
    class Acting extends Base {
      run(): void {}
    }
    @Processor()
    class Inheriting extends Acting {}
    @Processor()
    abstract class Abstract extends Base {}
    @Processor()
    class Getting {
      get run(): () => void {
        throw new Error('called without an instance');
      }
    }
    expect([Inheriting, Abstract, Getting, Base].map((one) => findProcessorSpec(one)?.hasAction)).toEqual([true, false, true, undefined]);
  });

  it('works on a class with private fields', () => {
    @Processor()
    class Private {
      #rows = 0;
      @Input() readonly raw!: Reader<Raw>;
      run(): number {
        return this.#rows;
      }
    }
    expect(getProcessorSpec(Private).inputs).toHaveLength(1);
    expect(new Private().run()).toBe(0);
  });

  it('allows an input and an output of one name, and the name default for both', () => {
    @Processor()
    class Both {
      @Input({ name: 'default' }) readonly source!: Reader<Raw>;
      @Output({ name: 'default' }) readonly target!: Writer<Raw>;
    }
    const { inputs, outputs } = getProcessorSpec(Both);
    expect([inputs[0]?.name, outputs[0]?.name]).toEqual(['default', 'default']);
  });
});

describe('inheritance of ports', () => {
  class Base {
    @Input({ binding: 'a' }) readonly a!: Reader<Raw>;
    @Input({ binding: 'b' }) readonly b!: Reader<Raw>;
    @Output() readonly out!: Writer<Raw>;
    @Params({ schema: PriceParams }) readonly params!: PriceParams;
  }
  class OtherParams extends PriceParams {
    more = 1;
  }

  it("puts a base class's ports first, and a redeclared one in its place", () => {
    @Processor()
    class Sub extends Base {
      @Input({ binding: 'c' }) readonly c!: Reader<Raw>;
      @Input({ binding: 'other' }) declare readonly a: Reader<Raw>;
    }
    const spec = getProcessorSpec(Sub);
    expect(spec.inputs.map(({ property, binding }) => [property, binding])).toEqual([
      ['a', 'other'],
      ['b', 'b'],
      ['c', 'c'],
    ]);
    expect(spec.outputs.map(({ property }) => property)).toEqual(['out']);
    expect(spec.params?.schema).toBe(PriceParams);
  });

  it('takes the params of the nearest class', () => {
    @Processor()
    class Sub extends Base {
      @Params({ schema: OtherParams }) declare readonly params: OtherParams;
    }
    expect(getProcessorSpec(Sub).params?.schema).toBe(OtherParams);
  });

  it('keeps a port that is declared again as a field only', () => {
    @Processor()
    class Sub extends Base {
      declare readonly a: Reader<Raw & { more?: string }>;
    }
    expect(getProcessorSpec(Sub).inputs.map(({ property }) => property)).toEqual(['a', 'b']);
  });

  it('lets a subclass make another thing of a property', () => {
    class Loose {
      readonly x: unknown;
      readonly y: unknown;
    }
    Input()(Loose.prototype as { x: Reader<Raw> }, 'x');
    Depends(Scope.Task, Price)(Loose.prototype as { y: Price }, 'y');
    class Sub extends Loose {}
    Output()(Sub.prototype as unknown as { x: Writer<Raw> }, 'x');
    Input()(Sub.prototype as { y: Reader<Raw> }, 'y');
    Processor()(Sub);
    const spec = getProcessorSpec(Sub);
    expect([spec.inputs.map((port) => port.property), spec.outputs.map((port) => port.property)]).toEqual([['y'], ['x']]);
  });

  it('says nothing to siblings and nothing to the base', () => {
    @Processor()
    class One extends Base {
      @Input() readonly one!: Reader<Raw>;
    }
    @Processor()
    class Two extends Base {}
    expect([One, Two].map((each) => getProcessorSpec(each).inputs.length)).toEqual([3, 2]);
    expect(findProcessorSpec(Base)).toBeUndefined();
  });

  it('refuses two ports of one name, also when one is inherited, and shows both places', () => {
    const error = refusal(() => {
      @Processor({ name: 'Clash' })
      class Sub extends Base {
        @Input({ name: 'a' }) readonly again!: Reader<Raw>;
      }
      return Sub;
    });
    expect(error.code).toBe('DUPLICATE_NAME');
    expect(error.message).toMatch(
      /^duplicated input name a in processor Clash: properties 'a' \(test\S+:\d+\) and 'again' \(test\S+:\d+\)/,
    );
    expect(error.where).toHaveLength(2);
    expect(
      refusal(() => {
        @Processor()
        class Outputs {
          @Output({ name: 'x' }) readonly a!: Writer<Raw>;
          @Output({ name: 'x' }) readonly b!: Writer<Raw>;
        }
        return Outputs;
      }).message,
    ).toContain('duplicated output name x in processor Outputs');
  });
});

describe('getProcessorSpec of a class that is no processor', () => {
  it('names the class and the fix', () => {
    class Plain {}
    expect(refusal(() => getProcessorSpec(Plain))).toMatchObject({
      code: 'DECORATOR_MISUSED',
      message: 'Plain is not a processor: write @Processor() above the class.',
    });
    expect(findProcessorSpec(Plain)).toBeUndefined();
  });

  it('says that the decorator is not inherited', () => {
    @Processor()
    class Base {}
    class Sub extends Base {}
    expect(refusal(() => getProcessorSpec(Sub)).message).toBe(
      'Sub is not a processor: its base class Base is one, but that is not inherited: write @Processor() above Sub too.',
    );
  });

  it('takes anything', () => {
    for (const value of [undefined, null, 'Plain', {}, () => 1]) {
      expect(findProcessorSpec(value as never)).toBeUndefined();
      expect(refusal(() => getProcessorSpec(value as never)).code).toBe('DECORATOR_MISUSED');
    }
  });
});

describe('misuse of @Processor', () => {
  const apply = (options: unknown, target: unknown = class Target {}): string =>
    refusal(() => {
      Processor(options as ProcessorOptions)(target as Class);
    }).message;

  it('is refused twice on a class', () => {
    class Twice {}
    Processor()(Twice);
    expect(apply({}, Twice)).toMatch(/^@Processor\(\) on Twice \(test\S+:\d+\): the class has @Processor\(\) already \(test\S+:\d+\)/);
  });

  it('is refused on anything but a class', () => {
    class Target {
      static make(): void {}
      run(): void {}
    }
    const on = (...args: unknown[]): string =>
      refusal(() => {
        (Processor() as unknown as (...all: unknown[]) => void)(...args);
      }).message;
    expect(on(Target.prototype, 'run', {})).toContain('on Target.run (');
    expect(on(Target, 'make', {})).toContain('on static Target.make (');
    expect(on(Target.prototype, 'run', 1)).toContain('on parameter 2 of Target.run() (');
    expect(on(Target, undefined, 0)).toContain('on constructor parameter 1 of Target (');
    expect(on(() => 1)).toContain('it goes on a class only: write @Processor() above `class`.');
  });

  it('is refused without parentheses', () => {
    class Target {}
    expect(refusal(() => (Processor as (target: unknown) => unknown)(Target)).message).toMatch(
      /^@Processor on Target \(test\S+:\d+\): it is used without parentheses: write @Processor\(\)\.$/,
    );
  });

  it('is refused as a standard decorator, with the setting to make', () => {
    const context = { kind: 'class', name: 'Target', addInitializer: () => undefined };
    const standard = Processor() as unknown as (...all: unknown[]) => void;
    expect(
      refusal(() => {
        standard(class Target {}, context);
      }).message,
    ).toMatch(/^@Processor\(\) on Target .*"experimentalDecorators": true/);
    const bare = Processor as unknown as (...all: unknown[]) => void;
    expect(
      refusal(() => {
        bare(class Target {}, context);
      }).message,
    ).toContain('"experimentalDecorators": true');
  });

  it.each([
    [{ titel: 'x' }, "option 'titel' is not known. Did you mean 'title'?"],
    [{ title: 1 }, "option 'title' must be a string, not 1."],
    [{ name: ' ' }, 'option \'name\' must be a string with a letter in it, not " ".'],
    [{ tags: 'daily' }, 'option \'tags\' must be an array of strings, not "daily".'],
    [{ timeout: -1 }, "option 'timeout' must be a number of milliseconds above 0 (leave it out for none), not -1."],
    [{ timeout: Infinity }, 'not Infinity'],
    [{ timeout: '5s' }, 'not "5s"'],
    [{ retry: 3 }, "option 'retry' is wrong: it must be an object"],
    [{ retry: {} }, "option 'retry' is wrong: property 'attempts' is missing."],
    [{ retry: { attempts: 0 } }, "option 'retry' is wrong: property 'attempts' must be a whole number, 1 or above, not 0."],
    [{ retry: { attempts: 2, delay: -5 } }, "property 'delay' must be a number of milliseconds, 0 or above, not -5."],
    [{ retry: { attempts: 2, jitter: 2 } }, "property 'jitter' must be a number from 0 to 1, not 2."],
    [
      { retry: { attempts: 2, backoff: 'exponentail' } },
      "must be one of 'fixed', 'exponential', not \"exponentail\". Did you mean 'exponential'?",
    ],
    [{ retry: { attempts: 2, on: TypeError.prototype } }, "property 'on' must be a function"],
    [{ retry: { attempts: 2, dealy: 1 } }, "property 'dealy' is not known. Did you mean 'delay'?"],
    ['Normalise', 'the options must be an object such as { name: … }, not "Normalise".'],
    [null, 'must be an object'],
    [['daily'], 'must be an object'],
  ])('refuses the options %o', (options, message) => {
    expect(apply(options)).toContain(message);
    expect(apply(options)).toMatch(/^@Processor\(\) on Target \(test\/decorators\/processor\.test\.ts:\d+\): /);
  });
});
