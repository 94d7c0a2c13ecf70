import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { actions } from '../../src/workflow/definition/action-keys.js';
import { bindings, commandStep, groupStep, processorStep, root as file, workflowStep } from '../../src/workflow/definition/keys.js';
import type { ObjectShape, Shape } from '../../src/workflow/definition/shape.js';
import { root } from '../package/pack.js';

/** Every key of a shape, and of those within. */
function keysOf(shape: Shape, seen = new Set<Shape>()): string[] {
  if (seen.has(shape)) return [];
  seen.add(shape);
  if (shape.kind === 'list' || shape.kind === 'map') return keysOf(shape.of, seen);
  if (shape.kind === 'either') return keysOf(shape.map, seen);
  return shape.kind === 'object' ? Object.entries(shape.keys).flatMap(([name, key]) => [name, ...keysOf(key.shape, seen)]) : [];
}

describe('docs/definition-files.md', () => {
  const page = readFileSync(join(root, 'docs/definition-files.md'), 'utf8');
  const shapes: readonly ObjectShape[] = [file, processorStep, commandStep, groupStep, workflowStep, actions, ...Object.values(bindings)];

  it('names every key', () => {
    const keys = new Set(shapes.flatMap((shape) => keysOf(shape)));
    expect(keys.size).toBeGreaterThan(60);
    const named = (key: string): boolean => new RegExp('`[^`\n]*(?<![\\w$])' + key.replace('$', '\\$') + '(?!\\w)[^`\n]*`').test(page);
    expect([...keys].filter((key) => !named(key))).toEqual([]);
  });
});
