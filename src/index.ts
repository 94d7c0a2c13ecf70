export { collection, file, rows, sink, type CollectionOptions, type FileOptions } from './binding/binding.js';
export { createContainer } from './container/container.js';
export { resource } from './container/resource.js';
export { external, forward, token } from './container/token.js';
export type { Container, ContainerOptions, DependencyGraph, ScopeHandle } from './container/types.js';
export { Depends } from './decorators/depends.js';
export { Input } from './decorators/input.js';
export { Output } from './decorators/output.js';
export { Params } from './decorators/params.js';
export { Processor } from './decorators/processor.js';
export { Secret } from './decorators/secret.js';
export {
  BindingError,
  CompositionError,
  DefinitionError,
  MillraceError,
  NonRetryableError,
  RowError,
  ScopeCloseError,
  TaskError,
  WorkflowError,
  type ErrorCode,
  type Fault,
} from './errors.js';
export type { App, AppOptions } from './project/app.js';
export { createApp } from './project/create-app.js';
export { defineProject, type Project, type ProjectOptions } from './project/project.js';
export type { Stores } from './project/stores.js';
export type { MongoStoreOptions } from './storage/mongo.js';
export { embeddedStore, memoryStore, mongoStore, openStore } from './storage/open.js';
export type { CommitOptions, Index, Rows, Stage, StagedFile, StagedOutput, StageOwner, Store, Superseded } from './storage/store.js';
export type { RunOptions } from './task/runner.js';
export type { Task } from './task/task.js';
export { Scope } from './types.js';
export type {
  AggregateReaders,
  Binding,
  Bindings,
  Class,
  Clock,
  Dependency,
  EventListeners,
  Events,
  Filter,
  Given,
  InputOptions,
  InputSource,
  InputsOf,
  Link,
  Log,
  Need,
  OnInvalid,
  OutputOptions,
  OutputsOf,
  OutputTarget,
  ParamsOf,
  PortCount,
  ProcessorOptions,
  Provision,
  Query,
  Reader,
  Resource,
  Retry,
  Row,
  RunStatus,
  StepResult,
  StepStatus,
  TaskContext,
  TaskMonitor,
  TaskResult,
  Token,
  WorkflowResult,
  WriteMode,
  Writer,
} from './types.js';
export { workflow, type StepOptions, type StepRef, type WorkflowBuilder, type WorkflowRef } from './workflow/builder.js';
export type { CommandOptions, CommandPorts } from './workflow/command.js';
export type { LoadWorkflowOptions } from './workflow/definition/definition.js';
export { loadWorkflow } from './workflow/definition/load-workflow.js';
export type { PlannedLink, PlannedStep, WorkflowRunOptions } from './workflow/options.js';
export type { Slices } from './workflow/slice.js';
export type { StepBehaviour, WhenContext } from './workflow/spec.js';
export type { WorkflowTask } from './workflow/task.js';
export type { Links, Workflow } from './workflow/workflow.js';
