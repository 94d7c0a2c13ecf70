import { afterEach, describe, expect, it, vi } from 'vitest';
import { Processor } from '../../src/decorators/processor.js';
import { anchorStoreUrl, createCatalogue, storesOf } from '../../src/project/catalogue.js';
import { defineProject } from '../../src/project/project.js';
import { memoryStore } from '../../src/storage/open.js';

@Processor()
class First {}
@Processor({ name: 'second' })
class Other {}
class Plain {}

describe('createCatalogue', () => {
  it('finds processors by name', () => {
    const { processors, faults } = createCatalogue(defineProject({ name: 'shop', processors: [First, Other] }));
    expect([...processors.keys()]).toEqual(['First', 'second']);
    expect(processors.get('second')?.class).toBe(Other);
    expect(faults).toEqual([]);
  });

  it('tells what is listed and is no processor, and lists the others', () => {
    const { processors, faults } = createCatalogue(defineProject({ name: 'shop', processors: [First, Plain, undefined as never] }));
    expect([...processors.keys()]).toEqual(['First']);
    expect(faults.map(({ code, message }) => [code, message])).toEqual([
      ['DECORATOR_MISUSED', expect.stringContaining('Plain is not a processor')],
      ['DECORATOR_MISUSED', 'defineProject: processors[2] is undefined, not a class'],
    ]);
  });

  it('refuses what is no project', () => {
    expect(() => createCatalogue({ name: 'shop' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

describe('anchorStoreUrl', () => {
  it.each([
    ['data', '/shop/data'],
    ['./data', '/shop/data'],
    ['/data', '/data'],
    ['embedded:./my data', 'embedded:/shop/./my data'],
    ['embedded:/data', 'embedded:/data'],
    ['embedded:///data', 'embedded:///data'],
    ['memory:', 'memory:'],
    ['mongodb://host/db', 'mongodb://host/db'],
    ['', ''],
  ])('%s is %s', (url, anchored) => expect(anchorStoreUrl(url, '/shop')).toBe(anchored));
});

describe('storesOf', () => {
  afterEach(() => vi.unstubAllEnvs());

  it("makes paths relative to the project's folder, the default store's too", () => {
    vi.stubEnv('MILLRACE_STORE', '');
    const own = memoryStore();
    const project = defineProject({ name: 'shop', stores: { depot: 'depot', own } });
    expect(storesOf(project, '/shop/millrace.config.ts')).toEqual({ default: 'embedded:/shop/.millrace/data', depot: '/shop/depot', own });
    expect(storesOf(defineProject({ name: 'shop', stores: { default: 'here' } }), '/shop/millrace.config.ts')).toEqual({
      default: '/shop/here',
    });
  });

  it('leaves the default store to MILLRACE_STORE', () => {
    vi.stubEnv('MILLRACE_STORE', 'memory:');
    expect(storesOf(defineProject({ name: 'shop' }), '/shop/millrace.config.ts')).toEqual({});
  });
});
