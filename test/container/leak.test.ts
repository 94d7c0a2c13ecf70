import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { createContainer } from '../../src/container/container.js';
import { resource } from '../../src/container/resource.js';
import { Scope } from '../../src/types.js';
import { turn } from './support.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function alive(refs: readonly WeakRef<object>[]): Promise<number> {
  await turn(); // a WeakRef holds its target until the turn ends
  collect();
  return refs.filter((ref) => ref.deref() !== undefined).length;
}

const pool = resource(() => ({ name: 'pool' }));
const plain = resource([[Scope.Worker, pool]], (one) => ({ one }));
const slow = resource([plain], async function* (one) {
  await Promise.resolve();
  yield { one };
});
class Part {
  [Symbol.dispose](): void {
    // counted by nobody
  }
}

it('holds nothing of a scope that is closed, however it closed', async () => {
  await using container = createContainer();
  const worker = container.open(Scope.Worker);
  const refs: WeakRef<object>[] = [];
  for (let round = 0; round < 300; round++) {
    const task = worker.open(Scope.Task);
    const got = Promise.all([task.get(plain), task.get(slow), task.get(Part), task.build(Part)]);
    if (round % 3 > 0) for (const one of await got) refs.push(new WeakRef(one));
    refs.push(new WeakRef(task));
    await (round % 3 === 1 ? task.close(new Error('body')) : task.close());
    await got.catch(() => undefined);
  }
  expect(await alive(refs)).toBeLessThan(10); // the last of a loop may stay on the stack
});

it('holds nothing of an override that was taken off', async () => {
  await using container = createContainer();
  const refs: WeakRef<object>[] = [];
  for (let round = 0; round < 300; round++) {
    const fake = { name: 'fake' };
    refs.push(new WeakRef(fake));
    using _ = container.override(pool, fake);
    await container.use(Scope.Worker, (worker) => worker.use(Scope.Task, (task) => task.get(plain)));
  }
  expect(await alive(refs)).toBeLessThan(10);
});
