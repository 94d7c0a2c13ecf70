import { describe, expect, it } from 'vitest';
import { columnsOf } from '../../src/validation/columns.js';
import '../../src/validation/params.js';
import { compileRowCheck } from '../../src/validation/row-check.js';

const metadataStorage = (): unknown => (globalThis as { classValidatorMetadataStorage?: unknown }).classValidatorMetadataStorage;

describe('class-validator', () => {
  it('is loaded when a class is first looked at, and is the one that the user imports', async () => {
    expect(metadataStorage()).toBeUndefined();
    expect(columnsOf(class Empty {})).toEqual([]);
    expect(metadataStorage()).toBeDefined();
    const { getMetadataStorage, IsString } = await import('class-validator');
    expect(getMetadataStorage()).toBe(metadataStorage());
    class Late {
      name?: string;
    }
    IsString()(Late.prototype, 'name');
    expect(compileRowCheck(Late).check({ name: 1 })).toMatchObject([{ rule: 'isString' }]);
  });
});
