import { MillraceError } from '../../errors.js';
import { secretsOf } from '../../metadata/registry.js';
import type { ParamsSpec } from '../../metadata/spec.js';
import { checkParams } from '../../validation/params.js';
import { describeNode, type Node } from './node.js';
import type { At, Faults } from './source.js';
import { toTyped } from './typed.js';

/**
 * Parameters as a file has them: their types checked against their class, what differs only in how it is written converted. Undefined where
 * they are at fault, which is told.
 *
 * @param node - undefined where the file says nothing of them: then their defaults must do.
 */
export async function readParams(
  step: string,
  params: ParamsSpec,
  node: Node | undefined,
  at: At,
  faults: Faults,
): Promise<object | undefined> {
  const refuse = (place: At, message: string, fix: string): undefined => {
    faults.add(place, { code: 'PARAMS_INVALID', message, path: [step, 'params'], fix });
    return undefined;
  };
  if (node !== undefined && node.kind !== 'map')
    return refuse(
      node.at,
      `params of step '${step}' are ${describeNode(node)}, and a map is expected`,
      'Write each parameter as name: value; or a collection or a file that has them.',
    );
  const { value, values, keys } = toTyped(node ?? { kind: 'map', at, entries: [] }, params.schema);
  try {
    const found = await checkParams(params.schema, value, { secrets: secretsOf });
    for (const { property, message } of found.faults) {
      const place = values.get(property) ?? nearestPlace(keys, property) ?? node?.at ?? at;
      const isUnknown = message.startsWith('unknown parameter');
      const [, said = message, suggestion] = (isUnknown ? /^(unknown parameter '.*?'): (.+)$/s.exec(message) : undefined) ?? [];
      refuse(
        isUnknown ? (keys.get(property) ?? place) : place,
        `step '${step}': ${said.replace(/, came undefined$/, ', and there is none')}`,
        suggestion ?? `Give what ${params.schema.name} asks for.`,
      );
    }
    return found.faults.length > 0 ? undefined : value;
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    return refuse(node?.at ?? at, `step '${step}': ${error.message}`, `Mend ${params.schema.name}.`);
  }
}

/** Of the innermost object around a property that the file names. */
function nearestPlace(keys: ReadonlyMap<string, At>, property: string): At | undefined {
  for (let path = property; path !== ''; path = path.slice(0, Math.max(0, path.lastIndexOf('.')))) {
    const found = keys.get(path);
    if (found !== undefined) return found;
  }
  return undefined;
}
