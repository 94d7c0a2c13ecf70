import { findConfig } from '../../project/config.js';
import { toJsonSchema } from '../../workflow/definition/json-schema.js';
import type { Cli } from '../command.js';
import { exitCode } from '../failure.js';
import { toJson } from '../text.js';
import { openWorkspace } from '../workspace.js';

/** `millrace schema`. */
export async function schema({ general = false }: { readonly general?: boolean }, cli: Cli): Promise<number> {
  const inProject = !general && (cli.config !== undefined || findConfig(cli.cwd) !== undefined);
  const specs = inProject ? (await openWorkspace(cli)).catalogue.specs : undefined;
  cli.out.line(toJson(toJsonSchema(specs)));
  return exitCode.done;
}
