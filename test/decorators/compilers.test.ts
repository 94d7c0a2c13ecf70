import { transform } from 'esbuild';
import { createRequire } from 'node:module';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { Depends } from '../../src/decorators/depends.js';
import { Input } from '../../src/decorators/input.js';
import { Output } from '../../src/decorators/output.js';
import { Params } from '../../src/decorators/params.js';
import { Processor } from '../../src/decorators/processor.js';
import { Secret } from '../../src/decorators/secret.js';
import { designParameterTypes, designTypeOf, getDependenciesSpec, getProcessorSpec, secretsOf } from '../../src/metadata/registry.js';
import { Scope, type Class, type Reader } from '../../src/types.js';
import { refusal } from './refusal.js';

/** A module of a user, as each compiler has to take it. */
const source = `
import { Depends, Input, Output, Params, Processor, Scope, Secret } from 'millrace';
export class Clock {}
export class Row {}
export class Settings { @Secret() token = 'x'; }
export const given = () => new Clock();
export class Base {
  @Input({ schema: Row }) readonly raw!: unknown;
  constructor(@Depends(Scope.Worker, Clock) readonly explicit: Clock, @Depends() readonly declared: Clock) {}
}
@Processor({ name: 'fixture' })
export class Fixture extends Base {
  #hidden = 1;
  @Params({ schema: Settings }) readonly params!: Settings;
  @Output({ name: 'out' }) readonly rows!: unknown;
  @Depends(Scope.Task, given) readonly made!: Clock;
  @Depends() readonly field!: Clock;
  extra = this.#hidden;
  run() {}
}
@Processor()
export class Redeclared extends Fixture {
  @Input({ binding: 'other' }) declare readonly raw: unknown;
}
`;

interface Compiled {
  readonly Clock: Class;
  readonly Row: Class;
  readonly Settings: Class;
  readonly Base: Class;
  readonly Fixture: Class;
  readonly Redeclared: Class;
  readonly given: () => unknown;
}

const millrace = { Depends, Input, Output, Params, Processor, Scope, Secret };

/** Runs a CommonJS module that imports Millrace. */
function evaluate(code: string): Compiled {
  const require = createRequire(import.meta.url);
  const module = { exports: {} as Compiled };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- compiled from the source above
  new Function('require', 'module', 'exports', code)(
    (id: string) => (id === 'millrace' ? millrace : (require(id) as unknown)),
    module,
    module.exports,
  );
  return module.exports;
}

function typescript(options: ts.CompilerOptions, text = source): string {
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, experimentalDecorators: true, ...options };
  return ts.transpileModule(text, { compilerOptions }).outputText;
}

async function esbuild(target: string, experimentalDecorators = true, text = source): Promise<string> {
  const { code } = await transform(text, {
    loader: 'ts',
    format: 'cjs',
    target,
    tsconfigRaw: { compilerOptions: { experimentalDecorators } },
  });
  return code;
}

const compilers: readonly (readonly [string, boolean, () => string | Promise<string>])[] = [
  ['tsc', true, () => typescript({ emitDecoratorMetadata: true })],
  ['tsc without metadata', false, () => typescript({})],
  ['tsc that assigns fields in the constructor', true, () => typescript({ emitDecoratorMetadata: true, useDefineForClassFields: false })],
  ['tsc for ES2015', true, () => typescript({ emitDecoratorMetadata: true, target: ts.ScriptTarget.ES2015 })],
  ['esbuild', false, () => esbuild('es2022')],
  ['esbuild for ES2020', false, () => esbuild('es2020')],
];

describe.each(compilers)('a module compiled by %s', (_, metadata, compile) => {
  it('says the same of ports and of what was given, and of types where they were emitted', async () => {
    const { Base, Clock, Fixture, Redeclared, Row, Settings, given } = evaluate(await compile());

    expect(getProcessorSpec(Fixture)).toMatchObject({
      name: 'fixture',
      hasAction: true,
      params: { schema: Settings },
      inputs: [{ property: 'raw', schema: Row }],
      outputs: [{ property: 'rows', name: 'out' }],
    });
    expect(getProcessorSpec(Redeclared).inputs).toMatchObject([{ property: 'raw', binding: 'other' }]);
    expect([...secretsOf(Settings)]).toEqual(['token']);

    const { fields, parameters, required } = getDependenciesSpec(Redeclared);
    expect(fields.map(({ property, provider }) => [property, provider])).toEqual([
      ['made', given],
      ['field', metadata ? Clock : undefined],
    ]);
    expect(parameters.map((one) => [one?.scope, one?.provider])).toEqual([
      ['WORKER', Clock],
      ['TASK', metadata ? Clock : undefined],
    ]);
    expect(required).toBe(2);

    expect(designTypeOf(Fixture, 'field')).toBe(metadata ? Clock : undefined);
    expect(designTypeOf(Redeclared, 'field')).toBe(metadata ? Clock : undefined);
    expect(designParameterTypes(Base)).toEqual(metadata ? [Clock, Clock] : undefined);
    expect(designTypeOf(Fixture, 'extra')).toBeUndefined();
  });
});

describe('a module compiled with standard decorators', () => {
  const onField = `import { Input } from 'millrace'; export class Row { @Input() raw!: unknown; }`;
  const onClass = `import { Processor } from 'millrace'; @Processor() export class Row { #x = 1; }`;
  it.each([
    ['tsc', (text: string) => typescript({ experimentalDecorators: false }, text)],
    ['esbuild', (text: string) => esbuild('es2022', false, text)],
  ])('by %s is told the setting', async (_, compile) => {
    const [field, whole] = [await compile(onField), await compile(onClass)];
    expect(refusal(() => evaluate(field)).message).toMatch(/^@Input\(\) on field 'raw' .*"experimentalDecorators": true/);
    expect(refusal(() => evaluate(whole)).message).toMatch(/^@Processor\(\) on Row .*"experimentalDecorators": true/);
  });
});

describe('the compiler of these tests', () => {
  class Row {}
  class Clock {}
  class Here {
    @Input({ schema: Row }) readonly raw!: Reader<Row>;
    @Depends() readonly clock!: Clock;
    constructor(
      @Depends() readonly first: Clock,
      readonly second: string,
    ) {}
  }

  it('emits the types of decorated classes: where it does not, half of the tests test nothing', () => {
    expect(designParameterTypes(Here)).toEqual([Clock, String]);
    expect(designTypeOf(Here, 'clock')).toBe(Clock);
    expect(designTypeOf(Here, 'raw')).toBe(Object);
  });
});
