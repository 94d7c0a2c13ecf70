import { MillraceError } from '../../errors.js';
import { maskUrl } from '../../mask.js';

/** Where a server is and which of its databases is meant, taken from a connection string. */
export interface Address {
  /** What the driver is given; has credentials. */
  readonly connection: string;
  /** `mongodb://host:port/database`: without credentials and options. */
  readonly url: string;
  /** `host:port`, several joined by commas. */
  readonly hosts: string;
  readonly database: string;
  /** The options that the connection string sets, in lower case, by their values. */
  readonly options: ReadonlyMap<string, string>;
}

/** No '@' after the host: it would be the rest of a password that should have been escaped, and shown. */
const shape = /^(mongodb(?:\+srv)?:\/\/)(?:[^/?]*@)?([^@/?]+)(?:\/([^?@]*))?(?:\?([^@]*))?$/i;
const defaultDatabase = 'millrace';

/** @throws MillraceError `CONFIG_INVALID` for what is no connection string. */
export function parseAddress(url: string, database?: string): Address {
  const [, scheme, hosts, path, query = ''] = shape.exec(url) ?? [];
  if (scheme === undefined || hosts === undefined) {
    throw new MillraceError(
      'CONFIG_INVALID',
      `'${maskUrl(url)}' is no MongoDB URL: expected mongodb://host:port/database, with user and password before the host where the server asks for them (each %-escaped)`,
    );
  }
  const name = database ?? (path === undefined || path === '' ? defaultDatabase : decodeURIComponent(path));
  checkDatabase(name);
  const options = new Map([...new URLSearchParams(query)].map(([option, value]) => [option.toLowerCase(), value]));
  if (options.get('w') === '0') {
    throw new MillraceError(
      'CONFIG_INVALID',
      `the MongoDB URL of ${hosts} says w=0: writes that nobody answers may be lost unseen. Leave it out, or use w=1 or w=majority`,
    );
  }
  return { connection: url, url: `${scheme.toLowerCase()}${hosts}/${name}`, hosts, database: name, options };
}

function checkDatabase(name: string): void {
  if (name !== '' && name.length < 64 && !/[/\\. "$*<>:|?\0]/.test(name)) return;
  throw new MillraceError(
    'CONFIG_INVALID',
    `'${name}' cannot be the name of a database: it has 1 to 63 characters, none of them / \\ . " $ * < > : | ? or a space`,
  );
}
