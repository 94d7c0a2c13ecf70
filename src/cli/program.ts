import { Command, CommanderError } from 'commander';
import { suggestName } from '../errors.js';
import type { Cli, CommandSpec } from './command.js';
import { commands } from './commands.js';
import { describeFailure, exitCode, exitCodeOf, UsageError } from './failure.js';
import { readManifest } from './manifest.js';

export type CliOptions = Pick<Cli, 'out' | 'err' | 'interrupts' | 'cwd'>;

/** Runs a command line; answers the exit code. Never throws. */
export async function runCli(argv: readonly string[], options: CliOptions): Promise<number> {
  const { err, interrupts } = options;
  let code: number = exitCode.done;
  let debug = argv.includes('--debug');
  const program = createProgram(options, async (command, given) => {
    const cli = { ...options, ...globalsOf(given) };
    debug = cli.debug;
    const action = await command.load();
    code = await action(given as never, cli);
  });
  try {
    if (argv.length === 0) program.help({ error: true });
    await program.parseAsync(argv, { from: 'user' });
    return interrupts.code ?? code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.refused;
    err.line(describeFailure(error, err, { debug }));
    return interrupts.code ?? exitCodeOf(error);
  }
}

function createProgram(
  { out, err }: CliOptions,
  run: (command: CommandSpec, options: Readonly<Record<string, unknown>>) => Promise<void>,
): Command {
  const program = new Command('millrace')
    .description('Data processing as annotated classes: typed ports, scoped dependencies, outputs that publish together or not at all.')
    .version(readManifest().version, '-V, --version', 'the version of Millrace')
    .option('-c, --config <path>', 'the config file or its folder; default the nearest millrace.config.ts')
    .option('--json', 'results as JSON, for programs')
    .option('--quiet', 'no progress, and of the log warnings and errors only')
    .option('--debug', 'stack traces, and debug lines of the log')
    .helpOption('-h, --help', 'this')
    .helpCommand('help [command]', 'the same as --help')
    .addHelpText('after', "\nBegin with 'millrace init'. 'millrace COMMAND --help' has an example of each command.");
  for (const command of commands) program.addCommand(createCommand(command, run));
  for (const one of [program, ...program.commands]) {
    one.configureHelp({ helpWidth: Math.min(out.width ?? 120, 120), showGlobalOptions: one !== program });
    one.configureOutput({
      writeOut: (text) => void out.stream.write(text),
      writeErr: (text) => void err.stream.write(text),
      outputError: (text, write) => write(explainUsage(text, one, { colors: err.colors })),
    });
    one.exitOverride();
  }
  program.on('command:*', ([name]: string[]) => {
    throw new UsageError(
      `unknown command '${name ?? ''}'. ${suggestName(
        name ?? '',
        commands.map((command) => command.name),
      )}`,
    );
  });
  return program;
}

function createCommand(
  spec: CommandSpec,
  run: (command: CommandSpec, options: Readonly<Record<string, unknown>>) => Promise<void>,
): Command {
  const command = new Command(spec.name)
    .summary(spec.summary)
    .description([`${capital(spec.summary)}.`, ...(spec.details ?? [])].join('\n'));
  for (const { syntax, description } of spec.arguments) command.argument(syntax, description);
  for (const { flags, description, parse } of spec.options) {
    if (parse === undefined) command.option(flags, description);
    else command.option(flags, description, parse);
  }
  command.helpOption('-h, --help', 'this');
  command.addHelpText('after', `\nFor example:\n${spec.examples.map((example) => `  ${example}`).join('\n')}`);
  command.action(async () => {
    const named = spec.arguments.map(({ syntax }, index): [string, unknown] => [
      syntax.replace(/[<>[\].]/g, ''),
      command.processedArgs[index],
    ]);
    await run(spec, { ...command.optsWithGlobals<Record<string, unknown>>(), ...Object.fromEntries<unknown>(named) });
  });
  return command;
}

function globalsOf(options: Readonly<Record<string, unknown>>): Pick<Cli, 'json' | 'quiet' | 'debug' | 'config'> {
  const { json, quiet, debug, config } = options;
  return { json: json === true, quiet: quiet === true, debug: debug === true, config: config as string | undefined };
}

/** commander's message, in the words of this program. */
function explainUsage(text: string, command: Command, colored: { readonly colors: Cli['err']['colors'] }): string {
  const message = text
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.+)\?\)/, ". Did you mean '$1'?")
    .replace(/Expected \d+ arguments? but got \d+\./, () => explainSurplus(command))
    .trim();
  const name = command.parent === null ? 'millrace' : `millrace ${command.name()}`;
  return `${describeFailure(new UsageError(`${message}${/[.?]$/.test(message) ? '' : '.'} See '${name} --help'.`), colored)}\n`;
}

function explainSurplus({ args, registeredArguments }: Command): string {
  const surplus = args.slice(registeredArguments.length).map((text) => `'${text}'`);
  const isValue = surplus.some((text) => text.includes('='));
  return `Left over: ${surplus.join(', ')}.${isValue ? ' An option is written before each of its values.' : ''}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
