import { isBinding, link, type LinkBinding } from '../binding/binding.js';
import { describeValue, MillraceError } from '../errors.js';
import { callSite, getProcessorSpec, type CallSite } from '../metadata/registry.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import type { RunOptions } from '../task/runner.js';
import type { Bindings, Class, Link, OutputsOf, Retry } from '../types.js';
import { commandSpec, type CommandOptions, type CommandPorts } from './command.js';
import { WorkflowDraft } from './draft.js';
import { plainBehaviour, type StepBehaviour, type WhenContext } from './spec.js';
import { createWorkflow, findWorkflowSpec, type Links, type Workflow } from './workflow.js';

/** What a step is given besides its processor. */
export interface StepOptions<P> extends StepBehaviour {
  /** Default: the processor's. */
  readonly name?: string;
  readonly bind?: Bindings<P>;
  /** Order without data. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- steps of whatever processors
  readonly after?: readonly StepRef<any>[];
  /** Besides its processor's; slices select by them. */
  readonly tags?: readonly string[];
  /** Milliseconds for one attempt; default the processor's. */
  readonly timeout?: number;
  /** Default the processor's, else the run's. */
  readonly retry?: Retry;
  /** What happens to the run when this step fails: stop it (default), or go on without what reads from this step. */
  readonly onError?: 'stop' | 'skip';
  /** Keeps its linked outputs until the workflow has succeeded, so that `resume` can start after it. Default false. */
  readonly keep?: boolean;
  /** Read when the step is about to start; false skips the step and what reads from it. */
  readonly when?: (context: WhenContext) => boolean | Promise<boolean>;
  /** Listeners for this step alone, besides the run's. */
  readonly on?: NonNullable<RunOptions['on']>;
}

/** A step, to link from and to come after. */
export interface StepRef<P> {
  readonly name: string;
  /** A binding for an input of another step. */
  output<K extends keyof OutputsOf<P>>(port: K): Link<OutputsOf<P>[K]>;
}

/** A workflow within another, as one step. */
export interface WorkflowRef<O extends Links> {
  readonly name: string;
  /** A binding for an input of another step: one of the outputs that its builder returned. */
  output<K extends keyof O>(name: K): O[K];
}

/** Takes the steps of a workflow in the order in which they are written. */
export interface WorkflowBuilder {
  step<P>(processor: Class<P>, options?: StepOptions<P>): StepRef<P>;
  /**
   * Runs a program without a shell; the lines of its standard output are the rows of output `lines`, and a code other than 0 fails
   * the step.
   */
  command(name: string, options: Omit<StepOptions<CommandPorts>, 'name'> & CommandOptions): StepRef<CommandPorts>;
  /** Another workflow as one step: its steps are named `name/step`; `bind` is by its step and port. */
  workflow<O extends Links>(
    workflow: Workflow<O>,
    options?: {
      /** Default: the workflow's. */
      readonly name?: string;
      // eslint-disable-next-line @typescript-eslint/no-explicit-any -- steps of whatever processors
      readonly after?: readonly StepRef<any>[];
      readonly bind?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    },
  ): WorkflowRef<O>;
}

/**
 * Builds a workflow: steps, and links between them.
 *
 * @example
 * ```ts
 * const pricing = workflow('pricing', (w) => {
 *   const imported = w.step(ImportPrices, { bind: { source: 'file:prices.csv' } });
 *   w.step(NormalisePrices, { bind: { raw: imported.output('rows') } });
 * });
 * ```
 * @throws {@link DefinitionError} that holds every fault: cycles, two steps of one name, two writers of one collection, unbound ports.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- a workflow without outputs
export function workflow<const O extends Links = {}>(
  name: string,
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a builder that returns nothing
  build: (w: WorkflowBuilder) => O | void,
  options: { readonly title?: string; readonly description?: string } = {},
): Workflow<O> {
  const where = callSite(workflow);
  const draft = new WorkflowDraft(name, where());
  const builder = new DraftBuilder(draft, where);
  const built: unknown = build(builder);
  builder.close();
  if (built instanceof Promise) {
    built.catch(() => undefined); // what it says of steps that came too late follows from this
    const message = `Workflow '${name}' has a builder that answers a promise`;
    draft.fault({
      code: 'DEFINITION_INVALID',
      message,
      where: [where()],
      path: [name],
      fix: 'Make it a plain function: steps are added before it returns.',
    });
  }
  const outputs = (built ?? {}) as O;
  for (const [output, exported] of Object.entries(outputs)) {
    if (isBinding(exported)) draft.export(exported);
    else {
      const message = `Workflow '${name}' output '${output}' is ${describeValue(exported)}, not a link`;
      draft.fault({
        code: 'DEFINITION_INVALID',
        message,
        where: [where()],
        path: [name, output],
        fix: "Return what step.output('port') answers.",
      });
    }
  }
  return createWorkflow(draft.finish(options), outputs);
}

/** Frames of a call of the builder that are looked at: the user's own function is not far. */
const frames = 4;
/** So many steps know their own line. More of them are written by a loop, and to note a place costs as much as to run a short step. */
const most = 1000;

class DraftBuilder implements WorkflowBuilder {
  readonly #draft: WorkflowDraft;
  readonly #where: CallSite;
  #closed = false;

  constructor(draft: WorkflowDraft, where: CallSite) {
    this.#draft = draft;
    this.#where = where;
  }

  step<P>(processor: Class<P>, options: StepOptions<P> = {}): StepRef<P> {
    const where = this.#draft.size < most ? callSite(this.step, frames) : this.#where;
    return this.#add(this.#specOf(processor, where), options, where);
  }

  command(name: string, options: Omit<StepOptions<CommandPorts>, 'name'> & CommandOptions): StepRef<CommandPorts> {
    const where = callSite(this.command, frames)();
    const { command, args = [], cwd, env } = options;
    const given: CommandOptions = { command, args, ...(cwd === undefined ? {} : { cwd }), ...(env === undefined ? {} : { env }) };
    return this.#add(commandSpec(given, name, where), { ...options, name }, where, JSON.stringify([command, args, cwd]));
  }

  workflow<O extends Links>(
    inner: Workflow<O>,
    options: {
      readonly name?: string;
      readonly after?: readonly StepRef<unknown>[];
      readonly bind?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    } = {},
  ): WorkflowRef<O> {
    this.#refuseClosed();
    const where = callSite(this.workflow, frames);
    const spec = findWorkflowSpec(inner);
    if (spec === undefined)
      throw new MillraceError(
        'DEFINITION_INVALID',
        `w.workflow takes a workflow, not ${describeValue(inner)}; pass what workflow('name', …) answers`,
        { where: [where()] },
      );
    const { name = spec.name, after = [], bind = {} } = options;
    this.#draft.embed(spec, name, { after: namesOf(after), bind, where });
    return {
      name,
      output: (output) => {
        const exported = (inner.outputs as Links)[output as string] as LinkBinding | undefined;
        return link(`${name}/${exported?.step ?? ''}`, exported?.port ?? String(output)) as unknown as O[typeof output];
      },
    };
  }

  /** From now on the definition is what it is. */
  close(): void {
    this.#closed = true;
  }

  #add<P>(processor: ProcessorSpec, options: StepOptions<P>, where: string | CallSite, detail?: string): StepRef<P> {
    this.#refuseClosed();
    const { name, bind, after, tags } = options;
    const step = this.#draft.add({
      processor,
      behaviour: behaviourOf(options),
      where,
      name,
      bind,
      after: after && namesOf(after),
      tags,
      detail,
    });
    return {
      name: step,
      output: (port) => {
        const found = processor.outputs.find(({ property }) => property === port);
        return link(step, found?.name ?? String(port)) as unknown as Link<OutputsOf<P>[typeof port]>;
      },
    };
  }

  #specOf(processor: Class, where: CallSite): ProcessorSpec {
    try {
      return getProcessorSpec(processor);
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      throw new MillraceError(error.code, `workflow '${this.#draft.name}': w.step takes a processor. ${error.message}`, {
        where: [where()],
        path: error.path,
      });
    }
  }

  #refuseClosed(): void {
    if (this.#closed)
      throw new MillraceError(
        'DEFINITION_INVALID',
        `workflow '${this.#draft.name}' is built already: add its steps before its builder returns`,
      );
  }
}

function namesOf(steps: readonly { readonly name: string }[]): string[] {
  return steps.map(({ name }) => name);
}

/** What of a step's options is its behaviour, without what is undefined; most steps say nothing of it. */
function behaviourOf({ timeout, retry, onError, keep, when, on }: StepBehaviour): StepBehaviour {
  if (timeout === undefined && retry === undefined && onError === undefined && keep === undefined && when === undefined && on === undefined)
    return plainBehaviour;
  return Object.fromEntries(Object.entries({ timeout, retry, onError, keep, when, on }).filter(([, value]) => value !== undefined));
}
