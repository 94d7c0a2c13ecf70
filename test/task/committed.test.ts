import { describe, expect, it } from 'vitest';

import { Output } from '../../src/decorators/output.js';
import { Processor } from '../../src/decorators/processor.js';
import { createApp } from '../../src/project/create-app.js';
import { memoryStore } from '../../src/storage/open.js';
import type { Stage, StageOwner, Store } from '../../src/storage/store.js';
import type { Writer } from '../../src/types.js';

@Processor({ retry: { attempts: 3 } })
class Append {
  @Output({ binding: 'out', mode: 'append' }) readonly out!: Writer<object>;
  async run(): Promise<void> {
    await this.out.write({ n: 1 });
  }
}

/** The object, some of whose members are other ones. */
function wrap<T extends object>(inner: T, own: Partial<T>): T {
  return new Proxy(inner, {
    get(target, name) {
      const value = name in own ? own[name as keyof T] : target[name as keyof T];
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** A store whose stages do some of their steps otherwise. */
function staging(steps: (stage: Stage) => Partial<Stage>): Store {
  return wrap<Store>(memoryStore(), {
    async stage(this: Store, owner: StageOwner): Promise<Stage> {
      const stage = await this.stage(owner);
      return wrap<Stage>(stage, steps(stage));
    },
  });
}

/** A store whose stages fail in one of their steps. */
function failing(step: 'commit' | 'publish', after: boolean, abort: boolean): Store {
  const broken = (): Promise<never> => Promise.reject(new Error(`${step} broke`));
  return staging((stage) => ({
    [step]: async () => {
      if (after) await stage[step]();
      return broken();
    },
    ...(abort ? {} : { abort: broken }),
  }));
}

describe('A task whose outputs are committed', () => {
  it.each([
    ['the publish fails after the commit', 'publish', false, true, 1],
    ['nobody knows whether it was committed', 'commit', true, false, 1],
    ['the commit failed, and was taken back', 'commit', false, true, 3],
  ] as const)('has so many attempts: where %s', async (_, step, after, abort, attempts) => {
    await using app = await createApp({ stores: { default: failing(step, after, abort) }, log: 'silent' });
    const failure = await app
      .task(Append)
      .run()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ attempts, cause: { message: `${step} broke` } });
  });
});

@Processor()
class Hasty {
  @Output({ binding: 'out' }) readonly out!: Writer<object>;
  async run(): Promise<void> {
    void this.out.write(Array.from({ length: 3500 }, (_, n) => ({ n })));
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error('enough');
  }
}

describe('A task that fails while a batch is on its way', () => {
  it('drops what it wrote when the batch has arrived, and sends no more', async () => {
    const done: string[] = [];
    const store = staging((stage) => ({
      async insert(...rows) {
        done.push('insert');
        await new Promise((resolve) => setTimeout(resolve, 20));
        await stage.insert(...rows);
        done.push('arrived');
      },
      async abort() {
        done.push('abort');
        await stage.abort();
      },
    }));
    await using app = await createApp({ stores: { default: store }, log: 'silent' });
    await expect(app.task(Hasty).run()).rejects.toThrow('enough');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(done).toEqual(['insert', 'arrived', 'abort']);
  });
});
