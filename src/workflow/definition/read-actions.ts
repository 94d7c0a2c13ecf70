import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { actionEvents, type Action, type ActionEvent, type RunFacts } from '../action/action.js';
import { commandAction } from '../action/command.js';
import { copyAction, deleteAction, holds } from '../action/files.js';
import { logAction } from '../action/log.js';
import { runAction } from '../action/run.js';
import { isHeader, refuseUrl, webhookAction } from '../action/webhook.js';
import type { CommandOptions } from '../command.js';
import type { Log } from '../../types.js';
import type { FileScope } from './item.js';
import { root } from './keys.js';
import type { LoadedFile } from './load-files.js';
import { find, itemsOf, textOf, toValue, type Entry, type MapNode, type Node } from './node.js';
import { ShapeReader } from './read-shape.js';
import { whereOf, type Faults } from './source.js';
import { Variables, type Surroundings } from './variables.js';

export interface ActionSurroundings {
  readonly around: Surroundings;
  readonly given: ReadonlyMap<string, unknown>;
  readonly timezone: string;
  readonly faults: Faults;
}

/** What a file says is to be done on each event, filled in with the facts of the run and checked. */
export function readActions(
  { node, path }: LoadedFile,
  file: FileScope,
  facts: RunFacts,
  { around, given, timezone, faults }: ActionSurroundings,
): ReadonlyMap<ActionEvent, readonly Action[]> {
  const events = find(node, 'events');
  const shape = root.keys['events']?.shape;
  if (events === undefined || shape?.kind !== 'object') return new Map();
  const declared = find(node, 'variables');
  const variables = new Variables(
    { at: node.at, variables: declared?.kind === 'map' ? declared : undefined, timezone },
    given,
    { ...around, run: describe(facts) },
    faults,
  );
  const read = new ShapeReader(faults, variables).object(unifyLists(events), shape, 'events');
  return new Map(
    actionEvents.map((event) => [
      event,
      itemsOf(find(read, event)).flatMap((item) => toAction(item, { folder: file.folder, path }, faults) ?? []),
    ]),
  );
}

/** One action alone may stand for a list of one, and a bare `- log: text` is a map of one key. */
function unifyLists(events: Node): Node {
  if (events.kind !== 'map') return events;
  return {
    ...events,
    entries: events.entries.map((entry): Entry =>
      entry.value.kind === 'map' ? { ...entry, value: { kind: 'list', at: entry.value.at, items: [entry.value] } } : entry,
    ),
  };
}

/** The definition, and the folder that its paths are relative to. */
interface Place {
  readonly folder: string;
  readonly path: string;
}

function toAction(node: Node, place: Place, faults: Faults): Action | undefined {
  const [entry, second] = node.kind === 'map' ? node.entries : [];
  if (entry === undefined || second !== undefined) {
    if (second !== undefined)
      faults.invalid(
        second.at,
        `an action has one key, and '${second.key}' stands beside '${entry?.key ?? ''}'`,
        "Begin an action of its own with '- '.",
      );
    return undefined;
  }
  const { folder } = place;
  const { value } = entry;
  const map = value.kind === 'map' ? value : undefined;
  const text = textOf(value);
  switch (entry.key) {
    case 'log':
      return logAction(text ?? textOf(find(map, 'message')) ?? '', textOf(find(map, 'level')) as keyof Log | undefined);
    case 'webhook':
      return toWebhook(map, value, faults);
    case 'command':
      return toCommand(map, folder);
    case 'copy':
      return toCopy(map, folder);
    case 'delete':
      return toDelete(value, place, faults);
    case 'run':
      return toRun(map, value);
    default:
      return undefined; // told with the keys
  }
}

function toRun(map: MapNode | undefined, node: Node): Action | undefined {
  const named = map === undefined ? node : find(map, 'workflow');
  const workflow = textOf(named);
  if (named === undefined || workflow === undefined) return undefined; // told with the keys
  return runAction(workflow, (valueOf(map, 'variables') ?? {}) as Record<string, unknown>, whereOf(named.at));
}

function toWebhook(map: MapNode | undefined, node: Node, faults: Faults): Action | undefined {
  const at = map === undefined ? node : find(map, 'url');
  const url = textOf(at);
  if (at === undefined || url === undefined) return undefined; // told with the keys
  // the address may be a secret, and so may a header
  const problem = refuseUrl(url);
  if (problem !== undefined) faults.invalid(at.at, `the url of a webhook ${problem}`, "Write it like 'https://example.org/hook'.");
  const headers = find(map, 'headers');
  const wrong = (headers?.kind === 'map' ? headers.entries : []).filter(({ key, value }) => !isHeader(key, textOf(value) ?? ''));
  for (const { key, at: place } of wrong)
    faults.invalid(place, `'${key}' is no header that can be sent`, 'Name it by letters, digits and dashes; its value is one line.');
  if (problem !== undefined || wrong.length > 0) return undefined;
  return webhookAction({ ...(map === undefined ? {} : (toValue(map) as object)), url });
}

function toCopy(map: MapNode | undefined, folder: string): Action | undefined {
  const [from, to] = [textOf(find(map, 'from')), textOf(find(map, 'to'))];
  if (from === undefined || to === undefined) return undefined; // told with the keys
  const overwrite = find(map, 'overwrite') === undefined || valueOf(map, 'overwrite') === true;
  return copyAction(resolve(folder, from), resolveTarget(folder, to), overwrite);
}

function toCommand(map: MapNode | undefined, folder: string): Action {
  const {
    command = '',
    args = [],
    cwd,
    env,
    timeout,
  } = (map === undefined ? {} : toValue(map)) as Partial<CommandOptions> & { readonly timeout?: number };
  return commandAction(
    { command, args: args.map(String), cwd: cwd === undefined ? folder : resolve(folder, cwd), ...(env === undefined ? {} : { env }) },
    timeout,
  );
}

function toDelete(node: Node, { folder, path: definition }: Place, faults: Faults): Action | undefined {
  const paths = itemsOf(node).flatMap((item) => {
    const written = textOf(item) ?? '';
    const path = resolve(folder, written);
    if (holds(path, definition) || holds(path, homedir())) {
      faults.invalid(
        item.at,
        `'${written}' is or holds the definition itself, or the user's home`,
        'Name another file, or what is in the folder.',
      );
      return [];
    }
    if (!/[*?]/.test(written)) return [path];
    faults.invalid(item.at, `'${written}' is a pattern, and the path of a file or folder is expected`, 'Name the folder that they are in.');
    return [];
  });
  return deleteAction(paths);
}

/** A slash at the end says that a folder is meant. */
function resolveTarget(folder: string, to: string): string {
  return `${resolve(folder, to)}${to.endsWith('/') ? '/' : ''}`;
}

function valueOf(map: MapNode | undefined, key: string): unknown {
  const node = find(map, key);
  return node === undefined ? undefined : toValue(node);
}

/** What `{run:…}` says. */
function describe({ event, workflow, runId, at, ms, status, error }: RunFacts): Readonly<Record<string, string>> {
  return {
    id: runId,
    workflow,
    event,
    at: at.toISOString(),
    status: status ?? 'running',
    ms: ms === undefined ? '' : String(Math.round(ms)),
    error: error ?? '',
  };
}
