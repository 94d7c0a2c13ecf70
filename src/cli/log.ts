import { inspect } from 'node:util';
import { toJson } from '../task/log.js';
import type { Log } from '../types.js';
import type { Cli } from './command.js';

type Level = keyof Log;

/** The log of a command: lines on standard error, for people, or with `--json` for programs. */
export function createCliLog({ out, err, json, quiet, debug }: Pick<Cli, 'out' | 'err' | 'json' | 'quiet' | 'debug'>): Log {
  // On one terminal the result says what the last line of a run that went well would say again.
  let again = !json && out.isTerminal && err.isTerminal ? 0 : -Infinity;
  const write = (level: Level, message: string, facts: object | undefined): void => {
    if (level === 'info' && facts !== undefined && 'runId' in facts && ++again > 1) return;
    if (json) err.line(toJson({ time: new Date(), level, message, ...facts }));
    else err.line(describe(level, message, facts, err.colors));
  };
  const at = (level: Level, shown: boolean): Log[Level] => (shown ? (message, facts) => write(level, message, facts) : nothing);
  return { debug: at('debug', debug), info: at('info', !quiet), warn: at('warn', true), error: at('error', true) };
}

function describe(level: Level, message: string, facts: object | undefined, colors: Cli['err']['colors']): string {
  const mark = { debug: colors.dim('debug '), info: '', warn: `${colors.yellow('warn')} `, error: `${colors.red('error')} ` }[level];
  const told = level === 'debug' ? facts : withoutRun(facts);
  const rest =
    told === undefined || Object.keys(told).length === 0 ? '' : `  ${colors.dim(inspect(told, { breakLength: Infinity, depth: 4 }))}`;
  return `${mark}${message}${rest}`;
}

/** A run's own lines have its id, and its error, which the command tells when it ends. */
function withoutRun(facts: object | undefined): object | undefined {
  if (facts === undefined || !('runId' in facts)) return facts;
  return Object.fromEntries(Object.entries(facts).filter(([name]) => name !== 'runId' && name !== 'error'));
}

function nothing(): void {
  // a level that is not shown
}
