import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { suggestName, type Fault } from '../../errors.js';
import { checkReadable } from '../../storage/files/check.js';
import { checkUtf8 } from '../../storage/files/utf8.js';
import type { Node } from './node.js';
import { parseJson } from './parse-json.js';
import { parseToml } from './parse-toml.js';
import { parseYaml } from './parse-yaml.js';
import { Source, type Faults } from './source.js';

/** Bytes. A definition that people write has a few thousand; what has more is a mistake, or an attack. */
const mostBytes = 1 << 20;
/** Brackets that are open at once, in text as it stands: parsers go down as deep as a file says. */
const deepest = 500;

const parsers: Readonly<Record<string, (source: Source, faults: Faults) => Promise<Node | undefined>>> = {
  '.yaml': parseYaml,
  '.yml': parseYaml,
  '.json': parseJson,
  '.toml': parseToml,
};

/** A definition file as it stands; undefined where it is not readable as one, and `faults` says why. */
export async function readSource(path: string, named: string, faults: Faults): Promise<Node | undefined> {
  const nothing = new Source(named, '');
  const refuse = (message: string, fix: string): undefined => faults.invalid({ source: nothing, offset: 0 }, message, fix);
  const parse = parsers[extname(path).toLowerCase()];
  if (parse === undefined) {
    const fix = `${suggestName(extname(path).toLowerCase(), Object.keys(parsers))} Rename the file.`;
    return refuse(`'${named}' is no definition file: its name ends in .yaml, .yml, .json or .toml`, fix);
  }
  const problem = await checkReadable(path);
  if (problem !== undefined) {
    faults.push(
      { ...problem, message: `Definition '${named}' cannot be read: ${lastPart(problem)}`, where: [named] },
      { source: nothing, offset: 0 },
    );
    return undefined;
  }
  const bytes = await readBytes(path);
  if (bytes === undefined)
    return refuse(
      `'${named}' has more than 1 MiB, which no definition needs`,
      'Cut it into several files, and name them in `workflow: { path: … }`.',
    );
  return decode(bytes, named, faults, parse);
}

async function decode(
  bytes: Buffer,
  named: string,
  faults: Faults,
  parse: (source: Source, faults: Faults) => Promise<Node | undefined>,
): Promise<Node | undefined> {
  if ((bytes[0] === 0xfe && bytes[1] === 0xff) || (bytes[0] === 0xff && bytes[1] === 0xfe)) {
    return faults.invalid({ source: new Source(named, ''), offset: 0 }, `'${named}' is UTF-16`, 'Save it as UTF-8.');
  }
  const text = bytes.toString('utf8');
  const source = new Source(named, text.startsWith('\uFEFF') ? text.slice(1) : text);
  if (!isUtf8(bytes)) {
    const { end } = checkUtf8(bytes, 0, bytes.length);
    const before = bytes.subarray(0, end).toString('utf8');
    const byte = (bytes[end] ?? 0).toString(16).toUpperCase().padStart(2, '0');
    const offset = before.length - (text.length - source.text.length);
    return faults.invalid({ source, offset }, `byte 0x${byte} is no UTF-8 (it may be Latin-1)`, 'Save the file as UTF-8.');
  }
  const control = /[\0-\x08\v\f\x0e-\x1f\x7f]/.exec(source.text); // eslint-disable-line no-control-regex -- they are what is looked for
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
    return faults.invalid(
      { source, offset: control.index },
      `character 0x${code} stands in no text`,
      'Take it away; save the file as UTF-8.',
    );
  }
  const deep = tooDeep(source.text);
  if (deep !== undefined)
    return faults.invalid({ source, offset: deep }, `brackets are nested more than ${String(deepest)} deep`, 'Write it flatter.');
  if (source.text.trim() === '') return faults.invalid({ source, offset: 0 }, `'${named}' is empty`, 'Give it a `name` and `steps`.');
  return parse(source, faults);
}

/** Undefined where there is more than is taken. */
async function readBytes(path: string): Promise<Buffer | undefined> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(mostBytes + 1);
    let size = 0;
    while (size < buffer.length) {
      const { bytesRead } = await file.read(buffer, size, buffer.length - size, null);
      if (bytesRead === 0) return buffer.subarray(0, size);
      size += bytesRead;
    }
    return undefined;
  } finally {
    await file.close();
  }
}

function tooDeep(text: string): number | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) {
      if (++depth > deepest) return at;
    } else if ((code === 0x5d || code === 0x7d) && depth > 0) depth--;
  }
  return undefined;
}

/** What the check of a file says of it, without the file's name. */
function lastPart({ message }: Fault): string {
  return /: (.+)$/s.exec(message)?.[1] ?? message;
}
