// The only door to @oxc-node/core, which compiles a project's TypeScript as it is loaded: opened for TypeScript configs alone.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeValue, MillraceError, suggestName, toError } from '../errors.js';
import { findUserFrame } from '../metadata/call-site.js';
import { configNames } from './config-names.js';
import { findProjectOptions, type Project } from './project.js';

/** A project with the file that it was read from. */
export interface LoadedProject {
  readonly project: Project;
  /** Absolute. */
  readonly path: string;
}

/** The config file of a folder or of the nearest folder above it. */
export function findConfig(folder: string): string | undefined {
  const found = configNames.map((name) => join(folder, name)).find((path) => existsSync(path));
  const above = dirname(folder);
  return found ?? (above === folder ? undefined : findConfig(above));
}

/**
 * The config file that was asked for, else the nearest one.
 *
 * @param given - a file, or a folder that has one, relative to `folder`.
 * @throws MillraceError `CONFIG_INVALID` where there is none.
 */
export function getConfig(folder: string, given?: string): string {
  if (given !== undefined) return givenConfig(resolve(folder, given));
  const found = findConfig(folder);
  if (found !== undefined) return found;
  throw new MillraceError(
    'CONFIG_INVALID',
    `there is no ${configNames[0]} (nor one in .mts, .js or .mjs) in ${folder} or a folder above it. Make a project with 'millrace init', or name the file with --config.`,
  );
}

/**
 * Loads the project that a config file exports.
 *
 * @throws MillraceError `CONFIG_INVALID` for a file that cannot be read, does not parse, throws, or has another default export than a
 * project; the code of Millrace's own error where that is what it threw. `cause` is what was thrown.
 */
export async function loadProject(path: string): Promise<LoadedProject> {
  const exported = await importModule(path);
  const project = await exported['default'];
  if (findProjectOptions(project) !== undefined) return { project: project as Project, path };
  // A module that was compiled to CommonJS has its exports once more within the default one.
  const inner: unknown = typeof project === 'object' && project !== null && 'default' in project ? project.default : undefined;
  if (findProjectOptions(inner) !== undefined) return { project: inner as Project, path };
  throw new MillraceError('CONFIG_INVALID', `${path} ${explainExports(exported, project)}`);
}

function givenConfig(path: string): string {
  if (!existsSync(path)) {
    const names = existsSync(dirname(path)) ? readdirSync(dirname(path)).filter((name) => /[.][cm]?[jt]s$/.test(name)) : [];
    throw new MillraceError('CONFIG_INVALID', `the config file ${path} does not exist. ${suggestName(basename(path), names)}`);
  }
  if (!statSync(path).isDirectory()) return path;
  const inside = configNames.map((name) => join(path, name)).find((one) => existsSync(one));
  if (inside !== undefined) return inside;
  throw new MillraceError('CONFIG_INVALID', `the folder ${path} has no ${configNames[0]} (nor one in .mts, .js or .mjs): name the file.`);
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  try {
    // @ts-expect-error -- it is loaded for what it does, and declares nothing
    if (isTypeScript(path)) await (compiling ??= import('@oxc-node/core/register') as Promise<unknown>);
    return (await import(/* @vite-ignore */ pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    throw explainFailure(path, error);
  }
}

let compiling: Promise<unknown> | undefined;

function explainExports(exported: Readonly<Record<string, unknown>>, project: unknown): string {
  const wanted = 'write `export default defineProject({ name: …, processors: [ … ] });`';
  const named = Object.keys(exported).find((name) => findProjectOptions(exported[name]) !== undefined);
  if (named !== undefined) return `exports its project as '${named}': make it the default export; ${wanted}`;
  if (!('default' in exported)) return `has no default export: ${wanted}`;
  return `has ${describeValue(project)} as its default export, not a project: ${wanted}`;
}

/** What a config file threw, in a sentence that says where and what to do. */
function explainFailure(path: string, thrown: unknown): MillraceError {
  const error = toError(thrown);
  const { code, faults } = error as { readonly code?: unknown; readonly faults?: unknown };
  // An error of Millrace's own says all there is to say; it may come from the project's copy of the package.
  if (typeof code === 'string' && (Array.isArray(faults) || 'where' in error)) return error as MillraceError;
  const refused = refusedFile(error);
  if (refused !== undefined) return invalid(explainRefusal(refused, error), thrown);
  const mistake = error instanceof SyntaxError && !isTypeScript(path) ? askNode(path) : undefined;
  if (mistake !== undefined) return invalid(mistake, thrown);
  return invalid(`${path} cannot be loaded: ${describeThrown(thrown)}`, thrown, placeIn(dirname(path), error));
}

function explainRefusal(refused: string, { message }: Error): string {
  if (message.includes('experimentalDecorators')) {
    const fix =
      'set "experimentalDecorators" and "emitDecoratorMetadata" to true in the "compilerOptions" of a tsconfig.json that includes it';
    return `${refused} uses decorators, which no tsconfig.json allows: ${fix}.`;
  }
  const mistake = isTypeScript(refused) ? askTypeScript(refused) : askNode(refused);
  return mistake ?? `${refused} does not parse: ${message.replace(/^Failed to parse .+?: /, '')}`;
}

function describeThrown(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `it threw ${describeValue(thrown)}, which is not an Error`;
  const { code, name, message } = thrown as NodeJS.ErrnoException;
  const missing = /^Cannot find package '((?:@[^/']+\/)?[^/']+)/.exec(message)?.[1];
  if (missing !== undefined) return `${message}. Install it: npm install ${missing}`;
  if (/^ERR_(?:MODULE|UNSUPPORTED|PACKAGE|UNKNOWN_FILE)/.test(String(code)) || / does not provide an export /.test(message)) return message;
  return `it threw ${name === 'Error' ? '' : `${name}: `}${message}`;
}

/** Where the project's own code threw, if it was that. */
function placeIn(folder: string, { stack }: Error): readonly string[] {
  const place = findUserFrame(stack);
  const path = resolve(place);
  return path.startsWith(join(folder, sep)) && !path.includes(`${sep}node_modules${sep}`) ? [place] : [];
}

function invalid(message: string, cause: unknown, where: readonly string[] = []): MillraceError {
  return new MillraceError('CONFIG_INVALID', message, { cause, where });
}

function isTypeScript(path: string): boolean {
  return /[.][cm]?tsx?$/.test(path);
}

/** The file that the compiler refused: it names it in its message. */
function refusedFile(error: Error): string | undefined {
  const url = /^Failed to (?:parse|transform) (?:file:\/\/)?(.+?): /.exec(error.message)?.[1];
  return url === undefined ? undefined : decodeURI(url);
}

interface TypeScript {
  transpileModule(
    text: string,
    options: object,
  ): { readonly diagnostics?: readonly { readonly start?: number; readonly messageText: string | { readonly messageText: string } }[] };
}

/** `file:line:column` and what is wrong there: the compiler does not say where, so the project's own TypeScript is asked. */
function askTypeScript(path: string): string | undefined {
  try {
    const typescript = createRequire(path)('typescript') as TypeScript;
    const text = readFileSync(path, 'utf8');
    const [first] = typescript.transpileModule(text, { reportDiagnostics: true, fileName: path }).diagnostics ?? [];
    if (first?.start === undefined) return undefined;
    const lines = text.slice(0, first.start).split('\n');
    const message = typeof first.messageText === 'string' ? first.messageText : first.messageText.messageText;
    return `${path}:${String(lines.length)}:${String((lines.at(-1) ?? '').length + 1)} does not parse: ${message}`;
  } catch {
    return undefined; // the project has no TypeScript of its own
  }
}

/** The same of JavaScript, which Node tells only of a program that it is to run. */
function askNode(path: string): string | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } });
  const line = /:(\d+)\n/.exec(stderr)?.[1];
  const message = /^SyntaxError: (.*)$/m.exec(stderr)?.[1];
  return line === undefined || message === undefined ? undefined : `${path}:${line} does not parse: ${message}`;
}
