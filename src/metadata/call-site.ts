import { isAbsolute, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Answers `file:line`; worked out when first asked. */
export type CallSite = () => string;

/** Enough to look past the frames of decorator helpers. */
const frames = 12;

/**
 * Where `callee`, a public function of Millrace, was called from: `file:line` in the user's own code, relative to the working
 * directory where it is below it. Call it inside of `callee`. Only captures a stack, which is cheap: formatting waits for the first question.
 *
 * V8 cuts the stack at `callee` itself, so that it does not matter in which file or chunk Millrace's own frames are.
 *
 * @param depth - how many frames of a stack to look at: each costs, which what is called ten thousand times feels.
 */
export function callSite(callee: (...args: never[]) => unknown, depth = frames): CallSite {
  const limit = Error.stackTraceLimit;
  // Not by assignment: where the host has frozen Error, that would throw.
  Reflect.set(Error, 'stackTraceLimit', depth);
  let trace: { stack?: unknown } | undefined = {};
  Error.captureStackTrace(trace, callee);
  Reflect.set(Error, 'stackTraceLimit', limit);
  let place: string | undefined;
  return () => {
    place ??= findUserFrame(trace?.stack);
    trace = undefined; // holds functions of every frame
    return place;
  };
}

/** The first frame of the user's own in a stack as V8 writes it; of a package, where the whole stack is of packages. */
export function findUserFrame(stack: unknown): string {
  if (typeof stack !== 'string') return unknownPlace; // someone's Error.prepareStackTrace answers with other things
  const places = stack.split('\n').flatMap((line) => toPlace(line) ?? []);
  const place = places.find(({ file }) => !/[\\/]node_modules[\\/]/.test(file)) ?? places[0];
  return place === undefined ? unknownPlace : `${toShortPath(place.file)}:${place.line}`;
}

const unknownPlace = '(unknown place)';

/** What compilers put between a decorator and the class: their line in the user's file means nothing. */
const helper =
  /^(?:Reflect\.decorate|Decorate(?:Property|Constructor)|(?:Object\.)?_{1,2}(?:ts_|apply)?(?:[dD]ecorate|param|esDecorate|runInitializers)\w*)$/;
const helperPackage = /[\\/]node_modules[\\/](?:tslib|reflect-metadata|@swc[\\/]helpers|@oxc-project[\\/]runtime|@babel[\\/]runtime)[\\/]/;

function toPlace(line: string): { file: string; line: string } | undefined {
  const frame = /^\s+at (?:async )?(.*)$/.exec(line)?.[1];
  if (frame === undefined) return undefined;
  const open = frame.endsWith(')') ? frame.indexOf(' (') : -1;
  const callee = open < 0 ? '' : frame.slice(0, open);
  const at = /^(.+):(\d+):\d+$/.exec(open < 0 ? frame : frame.slice(open + 2, -1));
  if (at?.[1] === undefined || at[2] === undefined) return undefined;
  // Code made from text has no file: who evaluated it is the next frame.
  if (/^(?:node:|eval at |<anonymous>)/.test(at[1]) || helper.test(callee)) return undefined;
  const file = toPath(at[1]);
  return helperPackage.test(file) ? undefined : { file, line: at[2] };
}

function toPath(location: string): string {
  if (!location.startsWith('file:')) return location;
  const [url = location] = location.split(/[?#]/, 1);
  try {
    return fileURLToPath(url);
  } catch {
    return location; // a file URL of another kind of system: better as it stands than not at all
  }
}

function toShortPath(file: string): string {
  if (!isAbsolute(file)) return file;
  try {
    const short = relative(process.cwd(), file);
    return short.startsWith('..') || isAbsolute(short) ? file : short;
  } catch {
    return file; // the working directory is gone
  }
}
