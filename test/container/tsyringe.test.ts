import 'reflect-metadata';
import { container as global, inject, injectable, singleton } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { createContainer } from '../../src/container/container.js';
import { resource } from '../../src/container/resource.js';
import { Depends } from '../../src/decorators/depends.js';
import { Scope } from '../../src/types.js';

class Connection {
  closed = 0;
  [Symbol.dispose](): void {
    this.closed++;
  }
}
@injectable()
class Repository {
  constructor(
    readonly connection: Connection,
    @inject('greeting', { isOptional: true }) readonly greeting: string | undefined,
  ) {}
}
@injectable()
class Service {
  @Depends(Scope.Worker, () => 'field') readonly field!: string;
  constructor(
    readonly repository: Repository,
    readonly connection: Connection,
  ) {}
}

describe('a class that tsyringe knows', () => {
  it('is composed by tsyringe of what the scope owns', async () => {
    const container = createContainer();
    const task = container.open(Scope.Task);
    const service = await task.get(Service);
    expect(service.repository).toBeInstanceOf(Repository);
    expect(service.repository).toBe(await task.get(Repository));
    expect(service.connection).toBe(service.repository.connection);
    expect(service).toMatchObject({ field: 'field', repository: { greeting: undefined } });
    await container.close();
    expect(service.connection.closed).toBe(1);
  });

  it('takes overrides and provisions, and is checked', async () => {
    const fake = new Connection();
    await using container = createContainer({ processors: [Service], provide: [[Connection, fake]] });
    const task = container.open(Scope.Task);
    expect((await task.build(Service)).repository.connection).toBe(fake);
    const other = new Connection();
    using _ = container.override(
      Connection,
      resource(() => other),
    );
    expect((await task.build(Service)).connection).toBe(other);
    @injectable()
    class Faulty {
      constructor(readonly text: string) {}
    }
    expect(
      createContainer({ processors: [Faulty] })
        .check()
        .map(({ code }) => code),
    ).toEqual(['DEPENDENCY_TYPE_ERASED']);
    expect(container.graph().edges).toContainEqual({ from: 'Service', to: 'Repository', scope: 'TASK' });
  });

  it('is one for its owner, not for the process, even as a @singleton', async () => {
    @singleton()
    class Single {
      constructor(readonly connection: Connection) {}
    }
    const containers = [createContainer(), createContainer()];
    const [one, other] = await Promise.all(containers.map((container) => container.open(Scope.Task).get(Single)));
    expect(one).toBeInstanceOf(Single);
    expect(one).not.toBe(other);
    await Promise.all(containers.map((container) => container.close()));
  });

  it('leaves nothing in the global container', async () => {
    await using container = createContainer();
    await container.use(Scope.Task, (task) => task.get(Service));
    for (const known of [Service, Repository, Connection]) expect(global.isRegistered(known as typeof Connection)).toBe(false);
  });
});
