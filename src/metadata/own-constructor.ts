import type { Class } from '../types.js';

/**
 * Whether a class takes constructor arguments of its own, or hands whatever it is given on to its base class. At run time every
 * class has a constructor; only its source tells a written one from the implied one, and from the one that compilers put in to
 * initialise fields (`constructor() { super(...arguments); … }`).
 */
export function hasOwnConstructor(target: Class): boolean {
  if (target.length > 0) return true;
  const source = Function.prototype.toString.call(target);
  if (!source.startsWith('class')) return false;
  const written = findConstructor(source.replaceAll(textual, ' '));
  return written !== undefined && !handsOn(written);
}

/** Comments, strings and templates: they may hold the word, and brackets that pair with nothing. */
const textual = /\/\*[^]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;

/** The code from the parameters of the constructor on. Not of a class nested in this one: those are deeper in brackets. */
function findConstructor(code: string): string | undefined {
  let depth = 0;
  for (const token of code.matchAll(/[()[\]{}]|(?<![.\w$#]|static\s)constructor\s*(?=\()/g)) {
    if ('([{'.includes(token[0])) depth++;
    else if (')]}'.includes(token[0])) depth--;
    else if (depth === 1) return code.slice(token.index + token[0].length);
  }
  return undefined;
}

function handsOn(constructor: string): boolean {
  const code = /^\(\s*(?:\.\.\.\s*([\w$]+)\s*)?\)\s*\{\s*super\(\s*\.\.\.\s*([\w$]+)\s*\)/.exec(constructor);
  return code !== null && code[2] === (code[1] ?? 'arguments');
}
