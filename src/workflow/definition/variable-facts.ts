import { secretsOf } from '../../metadata/registry.js';
import type { WorkflowSpec } from '../spec.js';
import type { Collected } from './collect.js';
import type { FileScope, Item } from './item.js';
import { find, itemsOf, textOf, type Node } from './node.js';

/**
 * The names of a definition's variables. Secret are those that stand where secrets do: in parameters that are `@Secret()`, in addresses and
 * headers of webhooks, in the environment of commands.
 */
export function variableFacts({ file, node, items }: Collected): NonNullable<WorkflowSpec['variableFacts']> {
  const known = new Set(file.variables.names);
  const names = new Set<string>();
  const note = (scope: FileScope, part: Node | undefined): void => {
    if (part !== undefined) for (const name of scope.variables.namesIn(part)) names.add(name);
  };
  const webhooks = entriesOf(find(node, 'events')).flatMap(({ value }) =>
    itemsOf(value).flatMap((action) => find(action, 'webhook') ?? []),
  );
  for (const webhook of webhooks) {
    if (textOf(webhook) !== undefined) note(file, webhook);
    note(file, find(webhook, 'url'));
    note(file, find(webhook, 'headers'));
  }
  // what is passed to a workflow within comes after its steps are known
  const visit = (item: Item): void => {
    if (item.kind !== 'step') {
      item.items.forEach(visit);
      for (const name of item.file.variables.names) known.add(name);
      if (item.kind === 'workflow')
        for (const { key, value } of entriesOf(find(item.written, 'variables'))) if (names.has(key)) note(item.outer, value);
      return;
    }
    note(item.file, find(item.written, 'env'));
    const schema = item.processor?.params?.schema;
    const secrets = schema === undefined ? new Set<string>() : secretsOf(schema);
    for (const { key, value } of entriesOf(find(item.written, 'params'))) if (secrets.has(key)) note(item.file, value);
  };
  items.forEach(visit);
  return { known, secret: names };
}

function entriesOf(node: Node | undefined): readonly { readonly key: string; readonly value: Node }[] {
  return node?.kind === 'map' ? node.entries : [];
}
