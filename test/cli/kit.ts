import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Interrupts } from '../../src/cli/interrupt.js';
import { Output, type OutputStream } from '../../src/cli/output.js';
import { runCli } from '../../src/cli/program.js';

/** What a command wrote and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of its own for a test file; `files` by path. */
export class Folder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-cli-')));

  write(files: Readonly<Record<string, string>>): this {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(this.at(name)), { recursive: true });
      writeFileSync(this.at(name), text);
    }
    return this;
  }

  at(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A stream whose text is kept. */
export function keptStream(facts: { readonly isTTY?: boolean; readonly columns?: number } = {}): OutputStream & { text(): string } {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return Object.assign(stream, facts, { text: () => text });
}

/** Runs a command line in this process, as if it had been started in `cwd`. */
export async function millrace(cwd: string, ...argv: readonly string[]): Promise<Ended> {
  const [stdout, stderr] = [keptStream(), keptStream()];
  const [out, err] = [new Output(stdout, {}), new Output(stderr, {})];
  const before = process.cwd();
  process.chdir(cwd);
  try {
    const interrupts = new Interrupts(err, () => {
      throw new Error('a command in this process is not to be interrupted');
    });
    const code = await runCli(argv, { out, err, interrupts, cwd });
    await Promise.all([out.flush(), err.flush()]);
    return { code, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    process.chdir(before);
  }
}

/** What the test's own process hands down that a user's shell does not. */
const foreign = /^(npm_|NODE_OPTIONS$|NODE_V8_COVERAGE$|VITEST|MILLRACE_|FORCE_COLOR$|NO_COLOR$)/;
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));

/** The CLI in a process of its own. */
export class Process {
  readonly child: ChildProcess;
  #stdout = '';
  #stderr = '';

  /** @param bin - of the built package. */
  constructor(bin: string, cwd: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [bin, ...argv], { cwd, env: { ...environment, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
  }

  /** Resolves when standard error has shown the text. */
  async shows(text: string): Promise<void> {
    while (!this.#stderr.includes(text)) {
      if (this.child.exitCode !== null)
        throw new Error(`it ended with ${String(this.child.exitCode)} and never showed '${text}': ${this.#stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async end(): Promise<Ended> {
    if (this.child.exitCode === null && this.child.signalCode === null) await new Promise((resolve) => this.child.once('close', resolve));
    return { code: this.child.exitCode, stdout: this.#stdout, stderr: this.#stderr };
  }
}

/** A project with ports of every kind, for commands to work with. */
export const shop: Readonly<Record<string, string>> = {
  'tsconfig.json': '{ "compilerOptions": { "target": "es2022", "experimentalDecorators": true, "emitDecoratorMetadata": true } }',
  'data/raw.csv': 'sku,amount\na,2\nb,x\nc,3\n',
  'millrace.config.ts': `
import { IsNumber, IsOptional, IsString, Min } from 'class-validator';
import { defineProject, Depends, Input, Output, Params, Processor, resource, Scope, Secret, type Reader, type TaskContext, type Writer } from 'millrace';

class Raw { @IsString() sku!: string; @IsNumber() @Min(0) amount!: number }
class Price { @IsString() sku!: string; @IsNumber() euros!: number }
class Factors { @IsNumber() tax = 1 }
class PriceParams {
  @IsNumber() rate = 2;
  @IsOptional() @IsString() code?: string;
  @IsString() @Secret() key = 'the-default-key';
  factors = new Factors();
}
const rates = resource(function* rates() { yield { of: (amount: number) => amount }; });

@Processor({ title: 'Price', description: 'Every price in euros.', tags: ['daily'], timeout: 60_000, retry: { attempts: 1 } })
export class MakePrices {
  @Params({ schema: PriceParams }) readonly params!: PriceParams;
  @Input({ name: 'raw-prices', title: 'Raw', schema: Raw, binding: 'file:data/raw.csv', onInvalid: 'reject', rejects: 'refused' }) readonly raw!: Reader<Raw>;
  @Input({ optional: true, readOnly: true, rereads: true }) readonly extra!: Reader<any>;
  @Output({ schema: Price, binding: 'prices', mode: 'upsert', key: 'sku' }) readonly prices!: Writer<Price>;
  @Depends(Scope.Worker, rates) readonly rates!: { of(amount: number): number };
  async run({ log, metric, progress }: TaskContext): Promise<void> {
    const { rate, code, factors, key } = this.params;
    log.debug('a debug line');
    log.info('the key is ' + key, { code, tax: factors.tax });
    for await (const { sku, amount } of this.raw) await this.prices.write({ sku, euros: this.rates.of(amount) * rate * factors.tax });
    metric('rate', rate);
    progress(1, 2);
  }
}
@Processor()
export class Fails {
  @Output({ binding: 'failed' }) readonly out!: Writer<any>;
  @Params({ schema: PriceParams }) readonly params!: PriceParams;
  async run(): Promise<void> { await this.out.write({ a: 1 }); throw new RangeError('it cannot be done with ' + this.params.key); }
}
@Processor()
export class Both {
  @Input({ name: 'default' }) readonly from!: Reader<any>;
  @Output({ name: 'default' }) readonly to!: Writer<any>;
  async run(): Promise<void> { await this.to.write(this.from); }
}
export default defineProject({ name: 'shop', title: 'A shop', processors: [MakePrices, Fails, Both], stores: { depot: './depot' } });
`,
};
