import { describe, expect, it } from 'vitest';
import { createContainerCore } from '../../src/container/container.js';
import { resource } from '../../src/container/resource.js';
import type { Need } from '../../src/types.js';
import type { ContainerCore, ScopeHandle } from '../../src/container/types.js';
import { Depends } from '../../src/decorators/depends.js';
import { MillraceError } from '../../src/errors.js';
import { scopeOrder, type ConcreteClass, type Dependency } from '../../src/types.js';

const graphs = 10_000;
const next = Promise.resolve();

/** What every dependency of a random graph gives: it knows what it was made of, and writes down how it went. */
class Instance {
  /** How it was closed: undefined is success. */
  readonly closings: { readonly failed: boolean; readonly cause: unknown }[] = [];
  begun = -1;
  ended = -1;
  constructor(
    readonly node: Node,
    readonly needs: readonly Instance[],
  ) {}
}
interface Node {
  readonly name: string;
  readonly what: Dependency<Instance>;
  readonly needs: readonly { readonly node: Node; readonly level: number | undefined }[];
  /** The longest life for which it can be asked: none of its needs is shorter. */
  readonly longest: number;
  /** Whether `closings` tell the outcome: a disposable is not told. */
  readonly told: boolean;
}

/** One graph in one container, with everything that was set up in it. */
class Trial {
  readonly made: Instance[] = [];
  readonly nodes: Node[] = [];
  readonly container: ContainerCore = createContainerCore();
  clock = 0;
  failedClosers = 0;
  reported = 0;

  constructor(readonly random: Random) {
    const count = 1 + random.below(9);
    for (let index = 0; index < count; index++) this.nodes.push(this.#node(index));
    this.container.observe(({ event, error }) => {
      if (event === 'close' && error !== undefined) this.reported++;
    });
  }

  #node(index: number): Node {
    const { random } = this;
    const needs = this.nodes
      .filter(() => random.chance(0.35))
      .map((node) => ({ node, level: random.chance(0.5) ? undefined : node.longest + random.below(scopeOrder.length - node.longest) }));
    const longest = Math.max(random.below(3), ...needs.map(({ node, level }) => level ?? node.longest));
    const kind = random.below(5);
    const node: Node = { name: `n${String(index)}`, needs, longest, told: kind < 2, what: Instance };
    return Object.assign(node, { what: this.#what(node, kind) });
  }

  #what(node: Node, kind: number): Dependency<Instance> {
    const needs = node.needs.map(({ node: other, level }) =>
      level === undefined ? other.what : [scopeOrder[level], other.what],
    ) as Need<Instance>[];
    const make = this.#make.bind(this, node);
    const pause = this.#pause.bind(this);
    const drive = this.#drive.bind(this);
    if (kind === 0) {
      return resource(needs, function* (...values) {
        const instance = make(values);
        try {
          yield instance;
          drive(instance, false, undefined)();
        } catch (cause) {
          if (instance.begun < 0) drive(instance, true, cause)();
          throw cause;
        }
      });
    }
    if (kind === 1) {
      return resource(needs, async function* (...values) {
        await pause();
        const instance = make(values);
        try {
          yield instance;
          const end = drive(instance, false, undefined);
          await pause();
          end();
        } catch (cause) {
          if (instance.begun < 0) {
            const end = drive(instance, true, cause);
            await pause();
            end();
          }
          throw cause;
        }
      });
    }
    const disposable = (instance: Instance): Instance =>
      Object.assign(instance, {
        [Symbol.asyncDispose]: async () => {
          const end = drive(instance, false, undefined);
          await pause();
          end();
        },
      });
    if (kind === 2) return resource(needs, (...values) => disposable(make(values)));
    if (kind === 3) {
      return resource(needs, async (...values) => {
        await pause();
        return disposable(make(values));
      });
    }
    return this.#class(node, make);
  }

  #class(node: Node, make: (values: readonly Instance[]) => Instance): ConcreteClass<Instance> {
    const drive = this.#drive.bind(this);
    class Made extends Instance {
      constructor(...values: Instance[]) {
        make(values);
        super(node, values);
      }
      [Symbol.dispose](): void {
        drive(this, false, undefined)();
      }
    }
    const { made } = this;
    class Entered extends Made {
      constructor(...values: Instance[]) {
        super(...values);
        made[made.length - 1] = this; // in place of the one that `make` entered
      }
    }
    node.needs.forEach(({ node: other, level }, index) => {
      // A class has no life of its own to give on: what has none named is asked for with the longest that fits all who ask.
      Depends(scopeOrder[level ?? other.longest] ?? 'TASK', other.what)(Entered as never, undefined as never, index as never);
    });
    return Entered;
  }

  #make(node: Node, values: readonly Instance[]): Instance {
    if (this.random.chance(0.07)) throw new Error('set-up');
    const instance = new Instance(node, values);
    this.made.push(instance);
    return instance;
  }

  /** The closer of an instance begins; what it answers ends it, some of them by failing. */
  #drive(instance: Instance, failed: boolean, cause: unknown): () => void {
    instance.closings.push({ failed, cause });
    instance.begun = this.clock++;
    return () => {
      instance.ended = this.clock++;
      if (!this.random.chance(0.07)) return;
      this.failedClosers++;
      throw new Error('tear-down');
    };
  }

  async #pause(): Promise<void> {
    for (let turns = this.random.below(4); turns > 0; turns--) await next;
  }
}

/** The model: who owns what, and how each owner ended. */
class Owner {
  outcome: { readonly failed: boolean; readonly cause: unknown } | 'aborted' | undefined;
  readonly instances = new Map<Node, Instance>();
  /** What was got before it closed, and so gets its outcome; what was not ready yet may be aborted. */
  readonly ready = new Set<Instance>();
  readonly #children: Owner[] = [];
  constructor(
    readonly level: number,
    readonly parent: Owner | undefined,
  ) {
    if (parent !== undefined) parent.#children.push(this);
  }

  close(outcome: Exclude<Owner['outcome'], undefined>): void {
    this.outcome ??= outcome;
    for (const child of this.#children) child.close('aborted');
  }

  of(level: number): Owner {
    return this.level === level || this.parent === undefined ? this : this.parent.of(level);
  }

  /** Checks that what was got, and all that it was made of, is the one instance of its owner. */
  enter(instance: Instance, level: number): void {
    const owner = this.of(level);
    const known = owner.instances.get(instance.node);
    if (known !== undefined && known !== instance) throw new Error(`two instances of ${instance.node.name} in one owner`);
    if (known !== undefined) return;
    owner.instances.set(instance.node, instance);
    if (owner.outcome === undefined) owner.ready.add(instance);
    instance.needs.forEach((need, index) => {
      const asked = instance.node.needs[index]?.level;
      owner.enter(need, asked ?? (isClass(instance.node) ? need.node.longest : level));
    });
  }
}

function isClass(node: Node): boolean {
  return typeof node.what === 'function';
}

async function run(trial: Trial): Promise<Owner[]> {
  const { random, container } = trial;
  const top = new Owner(-1, undefined);
  const owners = [top];
  const open = (handle: Pick<ScopeHandle, 'open'>, owner: Owner, level: number): [ScopeHandle, Owner] => {
    const own = new Owner(level, owner);
    owners.push(own);
    return [handle.open(scopeOrder[level] ?? 'TASK'), own];
  };
  const use = async (scope: ScopeHandle, owner: Owner): Promise<void> => {
    const fitting = trial.nodes.filter(({ longest }) => longest <= owner.level);
    const gets = fitting
      .filter(() => random.chance(0.6))
      .map(async (node) => {
        for (let turns = random.below(6); turns > 0; turns--) await next;
        const instance = await scope.get(node.what);
        owner.enter(instance, owner.level);
      });
    if (random.chance(0.7)) await Promise.allSettled(gets); // else it closes while they are under way
    const fate = random.below(4);
    const cause = new Error('body');
    if (fate < 3) owner.close({ failed: fate === 2, cause: fate === 2 ? cause : undefined });
    const closing = fate === 3 ? undefined : fate === 2 ? scope.close(cause) : scope.close();
    for (const settled of await Promise.allSettled([closing, ...gets])) {
      if (settled.status === 'rejected' && !(settled.reason instanceof MillraceError)) throw settled.reason;
    }
  };
  const [worker, workers] = random.chance(0.6) ? open(container, top, 3) : [container, top];
  await Promise.all(
    Array.from({ length: 1 + random.below(3) }, () => use(...open(worker, workers, 4))).concat(
      'get' in worker && random.chance(0.8) ? [use(worker, workers)] : [],
    ),
  );
  top.close({ failed: false, cause: undefined });
  await container.close().catch(() => undefined); // failing closers are counted by the events
  return owners;
}

function verify(trial: Trial, owners: readonly Owner[]): void {
  for (const instance of trial.made) {
    if (instance.closings.length !== 1) throw new Error(`${instance.node.name} was closed ${String(instance.closings.length)} times`);
    for (const need of instance.needs) {
      if (need.begun <= instance.ended)
        throw new Error(`${need.node.name} was closed before ${instance.node.name}, which needs it, had closed`);
    }
  }
  for (const owner of owners) {
    for (const instance of owner.instances.values()) {
      const [closing] = instance.closings;
      if (!instance.node.told || closing === undefined) continue;
      const aborted = closing.failed && closing.cause instanceof MillraceError && closing.cause.name === 'AbortError';
      const { outcome } = owner;
      const own = outcome === 'aborted' ? aborted : outcome?.failed === closing.failed && Object.is(closing.cause, outcome.cause);
      if (!own && (!aborted || owner.ready.has(instance))) throw new Error(`${instance.node.name} did not get the outcome of its scope`);
    }
  }
  expect(trial.reported).toBe(trial.failedClosers);
}

describe('random graphs', () => {
  it(`of ${String(graphs)}, every set-up is closed once, dependents first, with the outcome of its scope`, async () => {
    let made = 0;
    let failed = 0;
    for (let seed = 1; seed <= graphs; seed++) {
      try {
        const trial = new Trial(new Random(seed));
        verify(trial, await run(trial));
        made += trial.made.length;
        failed += trial.failedClosers;
      } catch (error) {
        throw new Error(`graph ${String(seed)}: ${String(error)}`, { cause: error });
      }
    }
    expect(made).toBeGreaterThan(graphs); // so that it cannot pass by doing nothing
    expect(failed).toBeGreaterThan(graphs / 20);
  }, 60_000);
});

/** Mulberry32: small, and the same everywhere. */
class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }
  chance(share: number): boolean {
    return this.next() < share;
  }
}
