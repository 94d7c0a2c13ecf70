// What decorators take and refuse, beyond mistakes.test-d.ts. Unmarked code must compile, every marked line must not.
/* eslint-disable @typescript-eslint/no-explicit-any -- ports of any document are what is tested */
import {
  Depends,
  Input,
  Output,
  Params,
  Processor,
  resource,
  Scope,
  Secret,
  token,
  type Reader,
  type TaskContext,
  type Writer,
} from 'millrace';

class Raw {
  sku!: string;
}
class Price {
  sku!: string;
  euros!: number;
}
class Settings {
  @Secret() token = '';
}
class MoreSettings extends Settings {
  limit = 1;
}
class Clock {
  now(): number {
    return 0;
  }
}
class QuartzClock extends Clock {
  quartz = true;
}
const clock = resource(() => new Clock());
const quartz = resource(async function* () {
  yield new QuartzClock();
});
const clockToken = token<Clock>('clock');
const quartzToken = token<QuartzClock>('quartz');

/* ports */

export class Ports {
  @Input({ schema: Raw }) readonly exact!: Reader<Raw>;
  @Input({ schema: Raw }) writable!: Reader<Raw>;
  @Input() readonly untyped!: Reader<any>;
  @Input({ title: 'of a type without a class' }) readonly literal!: Reader<{ readonly sku: string }>;
  @Output() readonly anything!: Writer<any>;
  @Output() readonly shaped!: Writer<{ sku: string }>;
  @Input({ schema: Raw }) readonly loose!: Reader<any>;
  @Output({ schema: Raw }) readonly looseOut!: Writer<any>;
  @Input({ schema: Raw, optional: true, onInvalid: 'reject', rejects: 'bad', binding: 'raw', readOnly: true, rereads: true })
  readonly full!: Reader<Raw>;
  @Output({ schema: Price, mode: 'upsert', key: ['sku'], overwrite: true, atomic: false }) readonly keyed!: Writer<Price>;
  @Output({ schema: Price, mode: 'upsert', key: 'sku' }) readonly keyedByOne!: Writer<Price>;

  // @ts-expect-error an optional port is not undefined: its reader is empty
  @Input({ schema: Raw, optional: true }) readonly maybe?: Reader<Raw>;
  // @ts-expect-error tasks bind ports from outside: a port is public
  @Input({ schema: Raw }) private readonly hidden!: Reader<Raw>;
  // @ts-expect-error tasks bind ports from outside: a port is public
  @Output({ schema: Raw }) protected readonly inherited!: Writer<Raw>;
  // @ts-expect-error wider than the schema
  @Input({ schema: Price }) readonly wider!: Reader<Raw>;
  // @ts-expect-error wider than the schema
  @Output({ schema: Price }) readonly widerOut!: Writer<Raw>;
  // @ts-expect-error rows are not a port
  @Input({ schema: Raw }) readonly array!: Raw[];
  // @ts-expect-error an output is written, with or without a schema
  @Output() readonly read!: Reader<Raw>;
  // @ts-expect-error the action gets no unknown
  @Input({ schema: Raw }) readonly unknown!: unknown;
  // @ts-expect-error not an option of inputs
  @Input({ schema: Raw, mode: 'append' }) readonly mode!: Reader<Raw>;
  // @ts-expect-error no such mode
  @Output({ schema: Raw, mode: 'merge' }) readonly merge!: Writer<Raw>;
  // @ts-expect-error no such answer to invalid rows
  @Input({ schema: Raw, onInvalid: 'ignore' }) readonly ignore!: Reader<Raw>;
  // @ts-expect-error rows in memory are bound by a task: as a default every run would share them
  @Input({ schema: Raw, binding: [{ sku: 'a' }] }) readonly rows!: Reader<Raw>;
  // @ts-expect-error an instance is not a class
  @Input({ schema: new Raw() }) readonly instance!: Reader<Raw>;
  // @ts-expect-error a method is no port
  @Input({ schema: Raw }) method(): void {}
  // @ts-expect-error written with parentheses
  @Input readonly bare!: Reader<Raw>;
  // @ts-expect-error a port is no parameter
  constructor(@Input({ schema: Raw }) readonly parameter: Reader<Raw>) {}
}

/* params */

export class WithParams {
  @Params({ schema: Settings, title: 'Settings' }) readonly params!: Settings;
}
export class WithMoreParams extends WithParams {
  @Params({ schema: MoreSettings }) declare readonly params: MoreSettings;
}
export class WrongParams {
  // @ts-expect-error the field is not of the class
  @Params({ schema: MoreSettings }) readonly params!: Settings;
  // @ts-expect-error parameters have a class
  @Params() readonly other!: Settings;
  // @ts-expect-error parameters are bound by their name
  @Params({ schema: Settings, name: 'other' }) readonly named!: Settings;
}

/* dependencies */

export class Dependencies {
  @Depends(Scope.Worker, clock) readonly made!: Clock;
  @Depends(Scope.Worker, quartz) readonly subclass!: Clock;
  @Depends(Scope.Task, QuartzClock) readonly built!: Clock;
  @Depends(Scope.GlobalConfig, clockToken) readonly named!: Clock;
  @Depends(Scope.Task, quartzToken) readonly wider!: Clock;
  @Depends(Scope.Task, () => new Clock()) readonly plain!: Clock;
  @Depends(Scope.Task, async () => new QuartzClock()) readonly promised!: Clock;
  @Depends(Scope.Task, clock) readonly part!: { now(): number };
  @Depends(Scope.Task, clock) readonly perhaps?: Clock;
  @Depends(Scope.Task) readonly declared!: Clock;
  @Depends() readonly alone!: Clock;
  constructor(
    @Depends(Scope.Worker, clock) private readonly first: Clock,
    @Depends(Scope.Worker, quartz) readonly second: Clock,
    @Depends() protected readonly third: QuartzClock,
    readonly plainParameter = 1,
    @Depends(Scope.Task, clock) readonly fifth?: Clock,
  ) {}
  uses(): unknown {
    return [this.first, this.third];
  }
}
export abstract class AbstractDependencies {
  constructor(@Depends(Scope.Worker, clock) readonly first: Clock) {}
}
export abstract class WrongAbstractDependencies {
  // @ts-expect-error narrower than what is given
  constructor(@Depends(Scope.Worker, clock) readonly first: QuartzClock) {}
}
export class WrongDependencies {
  // @ts-expect-error narrower than what is given
  @Depends(Scope.Task, clock) readonly narrower!: QuartzClock;
  // @ts-expect-error narrower than what the class builds
  @Depends(Scope.Task, Clock) readonly narrowerClass!: QuartzClock;
  // @ts-expect-error narrower than what the token stands for
  @Depends(Scope.Task, clockToken) readonly narrowerToken!: QuartzClock;
  // @ts-expect-error what the factory makes does not fit
  @Depends(Scope.Task, () => 1) readonly made!: Clock;
  // @ts-expect-error the container sets fields from outside: a field is public, a constructor parameter need not be
  @Depends(Scope.Task, clock) private readonly hidden!: Clock;
  // @ts-expect-error the scope comes first
  @Depends(clock) readonly scopeless!: Clock;
  // @ts-expect-error a value is given by provide
  @Depends(Scope.Task, new Clock()) readonly value!: Clock;
  constructor(
    // @ts-expect-error narrower than what is given
    @Depends(Scope.Task, clock) readonly a: QuartzClock,
    readonly b: string,
    // @ts-expect-error the class is another
    @Depends(Scope.Task, Clock) readonly c: string,
  ) {}
  // @ts-expect-error of parameters, those of a constructor only
  method(@Depends(Scope.Task, clock) _clock: Clock): void {}
}

/* processors */

@Processor()
export class NoAction {}

@Processor({
  name: 'n',
  tags: ['a'],
  timeout: 5,
  retry: { attempts: 2, backoff: 'exponential', on: (error) => error instanceof TypeError },
})
export class NoArgument {
  run(): void {}
}

@Processor()
export class TakesContext {
  async run({ signal, log }: TaskContext): Promise<void> {
    log.info(String(signal.aborted));
  }
}

@Processor()
export class TakesPart {
  run(context: Pick<TaskContext, 'log'>): number {
    context.log.info('ran');
    return 1;
  }
}

@Processor()
export abstract class Abstract {
  @Input({ schema: Raw }) readonly raw!: Reader<Raw>;
  abstract run(context: TaskContext): Promise<void>;
}

@Processor()
export class WithPrivates {
  #count = 0;
  @Input({ schema: Raw }) readonly raw!: Reader<Raw>;
  constructor(@Depends(Scope.Task, clock) private readonly clock: Clock) {}
  run(): number {
    return this.#count + this.clock.now();
  }
}

// @ts-expect-error an action gets a TaskContext, not a string
@Processor()
export class WrongContext {
  run(_context: string): void {}
}
// @ts-expect-error an action gets one argument
@Processor()
export class TwoArguments {
  run(_context: TaskContext, _more: number): void {}
}
// @ts-expect-error an action is a method
@Processor()
export class NoMethod {
  run = 1;
}
// @ts-expect-error not an option
@Processor({ titel: 'x' })
export class UnknownOption {}
// @ts-expect-error how often is to be said
@Processor({ retry: { delay: 5 } })
export class EndlessRetry {}

export class Misplaced {
  // @ts-expect-error a processor is a class
  @Processor()
  run(): void {}
}
