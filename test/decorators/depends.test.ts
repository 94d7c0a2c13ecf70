import { describe, expect, it } from 'vitest';
import { Depends } from '../../src/decorators/depends.js';
import { Input } from '../../src/decorators/input.js';
import { Output } from '../../src/decorators/output.js';
import { getDependenciesSpec } from '../../src/metadata/registry.js';
import { Scope, type Class, type Reader, type Resource, type Token } from '../../src/types.js';
import { refusal } from './refusal.js';

class Clock {
  now = 1;
}
class Pool {
  query = 'q';
}
class Rates {
  of = 1;
}
const resource: Resource<Pool> = Object.freeze({ kind: 'resource' as const, name: 'pool' });
const token: Token<Rates> = Object.freeze({ kind: 'token' as const, name: 'rates' });
const plain = () => new Clock();

describe('@Depends on fields', () => {
  class Wants {
    @Depends(Scope.Worker, resource) readonly pool!: Pool;
    @Depends(Scope.GlobalConfig, token) readonly rates!: Rates;
    @Depends(Scope.Task, Clock) readonly clock!: Clock;
    @Depends(Scope.Storage, plain) readonly made!: Clock;
    @Depends(Scope.Broker) readonly declared!: Clock;
    @Depends() readonly alone!: Pool;
  }

  it('keeps scope, provider, place and line of each', () => {
    const { fields, parameters, required } = getDependenciesSpec(Wants);
    expect(fields).toMatchObject([
      { scope: 'WORKER', provider: resource, property: 'pool', place: "field 'pool'" },
      { scope: 'GLOBAL_CONFIG', provider: token, property: 'rates' },
      { scope: 'TASK', provider: Clock, property: 'clock' },
      { scope: 'STORAGE', provider: plain, property: 'made' },
      { scope: 'BROKER', provider: Clock, property: 'declared' },
      { scope: 'TASK', provider: Pool, property: 'alone' },
    ]);
    expect(fields[0]?.provider).toBe(resource);
    expect([parameters, required]).toEqual([[], 0]);
    const lines = fields.map(({ where }) => Number(/^test\/decorators\/depends\.test\.ts:(\d+)$/.exec(where)?.[1]));
    expect(lines).toEqual(lines.map((_, index) => (lines[0] ?? NaN) + index));
  });

  it('is made once and frozen', () => {
    const spec = getDependenciesSpec(Wants);
    expect(getDependenciesSpec(Wants)).toBe(spec);
    expect([spec, spec.fields, spec.parameters, spec.fields[0]].map((part) => Object.isFrozen(part))).toEqual([true, true, true, true]);
  });

  it('leaves the provider out where the declared type was erased', () => {
    interface Shape {
      readonly x: number;
    }
    class Erased {
      @Depends() readonly shape!: Shape;
      @Depends() readonly union!: Clock | Pool;
      @Depends() readonly text!: string;
      @Depends() readonly list!: readonly Clock[];
      @Depends() readonly make!: () => Clock;
      @Depends() readonly later!: Promise<Clock>;
    }
    expect(getDependenciesSpec(Erased).fields.map((field) => 'provider' in field)).toEqual([false, false, false, false, false, false]);
  });

  it('is inherited, and a subclass wins in place', () => {
    class Sub extends Wants {
      @Depends(Scope.Task, Rates) readonly extra!: Rates;
      @Depends(Scope.Task, Pool) declare readonly pool: Pool;
    }
    const { fields } = getDependenciesSpec(Sub);
    expect(fields.map(({ property }) => property)).toEqual(['pool', 'rates', 'clock', 'made', 'declared', 'alone', 'extra']);
    expect(fields[0]).toMatchObject({ scope: 'TASK', provider: Pool });
    expect(getDependenciesSpec(Wants).fields[0]).toMatchObject({ scope: 'WORKER', provider: resource });
  });

  it('gives way to a port of a subclass', () => {
    class Sub extends Wants {}
    Input()(Sub.prototype as unknown as { pool: Reader<Pool> }, 'pool');
    expect(getDependenciesSpec(Sub).fields.map(({ property }) => property)).not.toContain('pool');
  });
});

describe('@Depends on constructor parameters', () => {
  class Base {
    constructor(
      @Depends(Scope.Worker, resource) readonly pool: Pool,
      readonly plain = 1,
      @Depends() readonly clock?: Clock,
    ) {}
  }

  it('keeps them by index, with a hole for one without it', () => {
    const { parameters, required } = getDependenciesSpec(Base);
    expect(parameters).toMatchObject([
      { scope: 'WORKER', provider: resource, index: 0, place: 'constructor parameter 1' },
      undefined,
      { scope: 'TASK', provider: Clock, index: 2, place: 'constructor parameter 3' },
    ]);
    expect(parameters).toHaveLength(3);
    expect(required).toBe(1);
  });

  it('hands them down to a class without a constructor, also one with fields', () => {
    class Sub extends Base {
      extra = 1;
    }
    class SubSub extends Sub {}
    expect(getDependenciesSpec(SubSub)).toMatchObject({ parameters: [{ index: 0 }, undefined, { index: 2 }], required: 1 });
  });

  it('takes those of the nearest class that has a constructor', () => {
    class Own extends Base {
      constructor(@Depends(Scope.Task, Clock) readonly own: Clock) {
        super(new Pool());
      }
    }
    class None extends Base {
      constructor() {
        super(new Pool());
      }
    }
    class Defaulted extends Base {
      constructor(pool = new Pool()) {
        super(pool);
      }
    }
    class Undeclared extends Base {
      // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- what it lacks is @Depends
      constructor(pool: Pool) {
        super(pool);
      }
    }
    class Below extends Undeclared {}
    expect(getDependenciesSpec(Own)).toMatchObject({ parameters: [{ provider: Clock }], required: 1 });
    expect(getDependenciesSpec(None)).toMatchObject({ parameters: [], required: 0 });
    expect(getDependenciesSpec(Defaulted)).toMatchObject({ parameters: [], required: 0 });
    expect(getDependenciesSpec(Undeclared)).toMatchObject({ parameters: [], required: 1 });
    expect(getDependenciesSpec(Below)).toMatchObject({ parameters: [], required: 1 });
  });

  it('is refused twice on one', () => {
    class Twice {}
    const apply = (): void => {
      Depends(Scope.Task, Clock)(Twice as new (clock: Clock) => Twice, undefined, 0);
    };
    apply();
    expect(refusal(apply).message).toMatch(
      /^@Depends\(\) on constructor parameter 1 of Twice \(test\S+:\d+\): the parameter has @Depends\(\) already \(test/,
    );
  });
});

describe('getDependenciesSpec of a class that wants nothing', () => {
  it('is empty', () => {
    class Plain {
      constructor(
        readonly a: number,
        readonly b = 2,
      ) {}
    }
    expect(getDependenciesSpec(Plain)).toEqual({ fields: [], parameters: [], required: 1 });
    expect(getDependenciesSpec(Pool)).toEqual({ fields: [], parameters: [], required: 0 });
    expect(getDependenciesSpec(Date)).toEqual({ fields: [], parameters: [], required: 7 });
  });
});

describe('misuse of @Depends', () => {
  const apply = (...args: unknown[]): string => {
    const decorate = (Depends as (...all: unknown[]) => unknown as (...all: unknown[]) => (...target: unknown[]) => void)(...args);
    const field = refusal(() => {
      decorate(class Target {}.prototype, 'x', undefined);
    });
    const parameter = refusal(() => {
      decorate(class Target {}, undefined, 1);
    });
    expect([field.code, parameter.code]).toEqual(['DECORATOR_MISUSED', 'DECORATOR_MISUSED']);
    expect(field.message).toMatch(/^@Depends\(\) on Target\.x \(test\/decorators\/depends\.test\.ts:\d+\): /);
    expect(parameter.message).toMatch(/^@Depends\(\) on constructor parameter 2 of Target \(test\S+:\d+\): /);
    return field.message;
  };

  it.each([
    [['worker', Clock], "scope 'worker' is not known. Did you mean 'WORKER'?"],
    [['forever', Clock], "scope 'forever' is not known. Known: 'GLOBAL_CONFIG', 'STORAGE', 'BROKER', 'WORKER', 'TASK'."],
    [[resource], 'the scope comes first: @Depends(Scope.Task, provider).'],
    [[Clock, Scope.Task], 'the scope comes first'],
    [[5, Clock], 'the scope must be one of Scope, such as Scope.Task, not 5.'],
    [[Scope.Task, undefined], 'the provider is undefined: it is used before it is defined.'],
    [[Scope.Task, 'clock'], 'the provider must be a resource, a token, a class or a function, not "clock".'],
    [[Scope.Task, null], 'not null'],
    [[Scope.Task, { now: 1 }], 'not {"now":1}'],
    [[Scope.Task, function* () {}], 'is made a provider by resource()'],
    [[Scope.Task, async function* () {}], 'is made a provider by resource()'],
  ])('refuses %o', (args, message) => {
    expect(apply(...args)).toContain(message);
  });
});

describe('a class decorated by hand', () => {
  it('needs no compiler, in any order', () => {
    class Hand {
      pool!: Pool;
    }
    Output()(Hand.prototype as unknown as { out: never }, 'out');
    Depends(Scope.Task, Pool)(Hand.prototype, 'pool');
    Depends(Scope.Worker, Clock)(Hand as Class as new (clock: Clock) => Hand, undefined, 0);
    expect(getDependenciesSpec(Hand)).toMatchObject({ fields: [{ provider: Pool }], parameters: [{ provider: Clock }] });
  });
});
