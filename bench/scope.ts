import 'reflect-metadata';
import { createContainer, resource, Scope, token } from 'millrace';
import { injectable, Lifecycle, container as tsyringe } from 'tsyringe';
import { against, times, type Line } from './measure.js';

const depth = 10;
type ConcreteClass = new (inner?: unknown) => object;

/** Open a scope, resolve a chain of ten, close all ten: ours, and tsyringe's child container doing the same. */
export async function scope(): Promise<Line[]> {
  const ours = await withOurs(1);
  const crowded = await withOurs(500);
  const theirs = withTsyringe();
  const count = 3000;
  const loop = (once: () => unknown) => async (): Promise<void> => {
    for (let turn = 0; turn < count; turn++) await once();
  };
  for (const once of [ours, crowded, theirs, ours, crowded, theirs]) await loop(once)();
  const ratio = await against(15, loop(ours), loop(theirs));
  const crowd = await against(15, loop(crowded), loop(ours));
  const [faster, slower] = [ratio.theirs / ratio.ours, crowd.ours / crowd.theirs];
  const each = ((ratio.ours / count) * 1000).toFixed(1);
  return [
    {
      what: `scope with a ${String(depth)}-deep chain (${each} µs), against tsyringe's child container`,
      measured: `${times(faster)} faster`,
      bar: '≥ 2 ×',
      holds: faster >= 2,
    },
    { what: '  its cost at 500 registrations, against that at 1', measured: times(slower), bar: '≤ 1.25 ×', holds: slower <= 1.25 },
  ];
}

class Link {
  closed = false;
  constructor(readonly inner?: unknown) {}
  [Symbol.dispose](): void {
    this.closed = true;
  }
}

async function withOurs(registrations: number): Promise<() => Promise<void>> {
  const provide = Array.from({ length: registrations }, (_, index) => [token<number>(`t${String(index)}`), index] as const);
  const container = createContainer({ provide: provide as never });
  let chain = resource(() => new Link());
  for (let level = 1; level < depth; level++) chain = resource([chain], (inner) => new Link(inner));
  return async () => {
    const opened = container.open(Scope.Task);
    await opened.get(chain);
    await opened.close();
  };
}

/** Classes, container-scoped: each child makes and disposes its own. */
function withTsyringe(): () => Promise<void> {
  const parent = tsyringe.createChildContainer();
  let inner: ConcreteClass = makeClass();
  parent.register(inner, { useClass: inner }, { lifecycle: Lifecycle.ContainerScoped });
  for (let level = 1; level < depth; level++) {
    const outer = makeClass(inner);
    parent.register(outer, { useClass: outer }, { lifecycle: Lifecycle.ContainerScoped });
    inner = outer;
  }
  const outermost = inner;
  return async () => {
    const child = parent.createChildContainer();
    child.resolve(outermost);
    await child.dispose();
  };
}

function makeClass(inner?: ConcreteClass): ConcreteClass {
  class Innermost {
    closed = false;
    dispose(): void {
      this.closed = true;
    }
  }
  class Outer extends Innermost {
    constructor(readonly inner: unknown) {
      super();
    }
  }
  const made: ConcreteClass = inner === undefined ? Innermost : Outer;
  if (inner !== undefined) Reflect.defineMetadata('design:paramtypes', [inner], made);
  injectable()(made);
  return made;
}
