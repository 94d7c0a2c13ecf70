import { describe, expect, it } from 'vitest';
import { createContainer } from '../../src/container/container.js';
import { resource } from '../../src/container/resource.js';
import { token } from '../../src/container/token.js';
import { Depends } from '../../src/decorators/depends.js';
import { Processor } from '../../src/decorators/processor.js';
import { Scope } from '../../src/types.js';

const settings = token<{ url: string }>('settings "main" #1');
const pool = resource([[Scope.GlobalConfig, settings]], function pool(s) {
  return s.url;
});
const table = resource([pool], function table(p) {
  return p;
});
class Clock {
  readonly now: number = 0;
}
@Processor({ name: 'import-prices' })
class Importer {
  @Depends(Scope.Worker, table) readonly table!: string;
  @Depends() readonly clock!: Clock;
}

describe('graph', () => {
  it('names every node and the life of every need', () => {
    const { nodes, edges } = createContainer({ processors: [Importer], provide: [[settings, { url: '' }]] }).graph();
    expect(nodes).toEqual([
      { id: 'import-prices', kind: 'processor' },
      { id: 'table', kind: 'resource' },
      { id: 'pool', kind: 'resource' },
      { id: 'settings "main" #1', kind: 'token' },
      { id: 'Clock', kind: 'class' },
    ]);
    expect([...edges].sort((a, b) => a.from.localeCompare(b.from) || a.to.localeCompare(b.to))).toEqual([
      { from: 'import-prices', to: 'Clock', scope: 'TASK' },
      { from: 'import-prices', to: 'table', scope: 'WORKER' },
      { from: 'pool', to: 'settings "main" #1', scope: 'GLOBAL_CONFIG' },
      { from: 'table', to: 'pool', scope: 'WORKER' },
    ]);
  });

  it('shows what stands for a token or a class', () => {
    const pick = token<string>('pick');
    const user = resource([pick, Clock], function user(p) {
      return p;
    });
    const { nodes, edges } = createContainer({
      processors: [],
      provide: [
        [pick, table],
        [Clock, { now: 1 }],
        [token('user'), user],
        [settings, { url: '' }],
      ],
    }).graph();
    expect(nodes).toContainEqual({ id: 'Clock', kind: 'value' });
    expect(edges).toContainEqual({ from: 'pick', to: 'table', scope: 'TASK' });
    expect(edges).toContainEqual({ from: 'user', to: 'pick', scope: 'TASK' });
    expect(edges).toContainEqual({ from: 'user (2)', to: 'user', scope: 'TASK' });
  });

  it('draws faulty wiring as far as it goes', () => {
    const graph = createContainer({ processors: [Importer] }).graph();
    expect(graph.nodes).toHaveLength(5);
  });

  it('writes Mermaid with labels that cannot break it', () => {
    const nasty = token<number>('a"b<script>`x`\n#;');
    class User {
      @Depends(Scope.Task, nasty) readonly nasty!: number;
    }
    expect(
      createContainer({ processors: [User], provide: [[nasty, 1]] })
        .graph()
        .toMermaid(),
    ).toBe(['flowchart LR', '  n0["User"]', '  n1(["a#34;b#60;script#62;#96;x#96; #35;#59;"])', '  n0 -->|TASK| n1', ''].join('\n'));
  });
});
