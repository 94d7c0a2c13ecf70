import type { Fault } from '../../errors.js';
import { placeOf, toBinding } from '../places.js';
import { whereOf, type At } from './source.js';
import type { Work } from './work.js';

/** Where a fault of several steps stands in the file. */
export function placed(fault: Fault, works: readonly Work[]): [Fault, At | undefined] {
  if (fault.code === 'BINDING_CONFLICT') {
    const places = conflicting(fault.path ?? [], works);
    return [{ ...fault, where: places.map(whereOf) }, places[0]];
  }
  if (fault.code === 'PORT_READ_ONLY') {
    const [step, port] = fault.path ?? [];
    const writer = works.find(({ leaf }) => leaf.name === step);
    const output = writer?.leaf.processor?.outputs.find(({ name }) => name === port);
    const at = writer?.places.get(output?.property ?? '') ?? writer?.leaf.at;
    return [{ ...fault, where: [...(at === undefined ? [] : [whereOf(at)]), ...fault.where.slice(1)] }, at];
  }
  const steps = works.filter(({ leaf }) => fault.where.includes(whereOf(leaf.at)));
  const where = fault.code === 'WORKFLOW_CYCLE' ? [...fault.where.slice(-1), ...fault.where.slice(0, -1)] : fault.where;
  return [{ ...fault, where }, steps[0]?.leaf.at];
}

/** Where the steps of these names bind the one place that all of them write; a port's own default has no line. */
function conflicting(names: readonly string[], works: readonly Work[]): At[] {
  const writers = works.filter(({ leaf }) => names.includes(leaf.name));
  const written = writers.map(({ leaf: { processor }, bind }) =>
    (processor?.outputs ?? []).flatMap(({ property, binding }) => {
      const key = placeOf(toBinding(bind[property] ?? binding), property, (store) => store)?.key;
      return key === undefined ? [] : [{ key, property }];
    }),
  );
  const shared = written[0]?.find(({ key }) => written.every((places) => places.some((one) => one.key === key)))?.key;
  return writers.map(({ leaf, places }, index) => {
    const property = written[index]?.find(({ key }) => key === shared)?.property;
    return places.get(property ?? '') ?? leaf.at;
  });
}
