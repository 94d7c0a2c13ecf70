import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isUnread } from '../binding/writer.js';
import { MASK, maskUrl } from '../mask.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import type { Log, TaskContext, Writer } from '../types.js';

/** A program to run. */
export interface CommandOptions {
  /** The program: a path, or a name that PATH finds. No shell is between. */
  readonly command: string;
  readonly args?: readonly string[];
  /** Default: the working directory. */
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The ports of a command: the lines that it writes to its standard output. */
export interface CommandPorts {
  lines: Writer<{ line: string }>;
}

/** Milliseconds between asking a program to end and ending it. */
const grace = 2000;
/** Milliseconds to wait for what a program that has ended wrote to its standard error. */
const patience = 1000;
/** How much of the standard error an error message shows. */
const shown = 2000;

/** A program as a processor; lines that nothing reads go to the log, under the name of the step. */
export function commandSpec(options: CommandOptions, name: string, where: string): ProcessorSpec {
  class Command implements CommandPorts {
    lines!: Writer<{ line: string }>;
    run({ signal, log }: TaskContext): Promise<void> {
      const take = (lines: string[]): Promise<void> => this.lines.write(lines.map((line) => ({ line })));
      return runCommand(options, { name, log, signal, take, isTold: isUnread(this.lines) });
    }
  }
  const output = {
    kind: 'output',
    name: 'lines',
    property: 'lines',
    optional: true,
    onInvalid: 'off',
    overwrite: false,
    atomic: true,
    where,
  } as const;
  return Object.freeze({ class: Command, name: 'command', tags: [], inputs: [], outputs: [output], hasAction: true, where });
}

/** What a program is run with besides what it is. */
export interface CommandRun extends Pick<TaskContext, 'signal'> {
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Stands before its lines in the log. */
  readonly name: string;
  /** Whether the lines of its standard output go to the log, as those of its standard error do. */
  readonly isTold: boolean;
  /** Is given the lines of its standard output. */
  take(lines: string[]): void | Promise<void>;
}

/** Runs a program to its end. */
export async function runCommand(
  { command, args = [], cwd, env }: CommandOptions,
  { name, signal, log, isTold, take }: CommandRun,
): Promise<void> {
  signal.throwIfAborted();
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32', // a group of its own, so that what it started ends with it
    windowsHide: true,
  });
  const ended = endOf(child);
  const kill = endOnAbort(child, signal);
  const hide = hider(env);
  const tell = (level: 'info' | 'warn', lines: string[]): void => {
    for (const line of lines) if (line.trim() !== '') log[level](hide(`${name}: ${line}`));
  };
  let errors = '';
  const told = passLines(child.stderr, (lines) => {
    tell('warn', lines);
    errors = `${errors}${lines.join('\n')}\n`.slice(-shown);
  });
  told.catch(() => undefined); // it was ended, or could not be started
  try {
    await passLines(child.stdout, (lines) => {
      if (isTold) tell('info', lines);
      return take(lines);
    });
    const { code, by } = await ended;
    signal.throwIfAborted();
    await Promise.race([told, delay(patience, undefined, { ref: false })]); // what it left running may hold it open
    if (code !== 0) throw new Error(hide(describeEnd(command, code, by, errors.trim())));
  } catch (error) {
    endGroup(child, 'SIGKILL');
    await ended.catch(() => undefined); // it could not be started, and that is the error already
    throw signal.aborted ? signal.reason : explain(error, command, cwd);
  } finally {
    kill.forget();
  }
}

async function passLines(stream: NodeJS.ReadableStream, take: (lines: string[]) => void | Promise<void>): Promise<void> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const parts = String(chunk).split('\n'); // not of what is left besides: a long line would be gone through again and again
    parts[0] = rest + (parts[0] ?? '');
    rest = parts.pop() ?? '';
    if (parts.length > 0) await take(parts.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line)));
  }
  if (rest !== '') await take([rest]);
}

function endOf(child: ChildProcess): Promise<{ readonly code: number | null; readonly by: string | null }> {
  const ended = new Promise<{ code: number | null; by: string | null }>((resolve, reject) => {
    child.once('error', reject); // it could not be started
    child.once('exit', (code, by) => {
      resolve({ code, by });
    });
  });
  ended.catch(() => undefined); // it is awaited when its output has ended
  return ended;
}

/** Asks the program to end when the signal is aborted, and ends it when it does not. */
function endOnAbort(child: ChildProcess, signal: AbortSignal): { forget(): void } {
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    endGroup(child, 'SIGTERM');
    timer = setTimeout(() => {
      endGroup(child, 'SIGKILL');
    }, grace);
  };
  signal.addEventListener('abort', end, { once: true });
  return {
    forget() {
      signal.removeEventListener('abort', end);
      clearTimeout(timer);
    },
  };
}

function endGroup(child: ChildProcess, by: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(by);
    else process.kill(-child.pid, by);
  } catch {
    // it has ended
  }
}

/** Hides what a program was given in its environment, as that is where secrets are put; a few characters would blot out every text. */
function hider(env: CommandOptions['env'] = {}): (text: string) => string {
  const values = Object.values(env)
    .map(String)
    .filter(({ length }) => length > 3);
  return (text) => values.reduce((hidden, value) => hidden.replaceAll(value, MASK), maskUrl(text));
}

/** `spawn x ENOENT` does not say which of the two is not there. */
function explain(error: unknown, command: string, cwd: string | undefined): unknown {
  const { code, syscall = '' } = error as NodeJS.ErrnoException;
  if (!syscall.startsWith('spawn')) return error;
  if (cwd !== undefined && !existsSync(cwd))
    return new Error(`command '${command}' cannot run in '${cwd}': there is no such folder`, { cause: error });
  if (code === 'ENOENT')
    return new Error(`command '${command}' is not found: no file of that path, or no program of that name in PATH`, { cause: error });
  return code === 'EACCES' ? new Error(`command '${command}' may not be executed`, { cause: error }) : error;
}

function describeEnd(command: string, code: number | null, by: string | null, errors: string): string {
  const how = code === null ? `was ended by ${by ?? 'a signal'}` : `ended with code ${String(code)}`;
  return `command '${command}' ${how}${errors === '' ? '' : `: ${errors}`}`;
}
