// What others than Millrace call things, flowtask above all, and what to write in their place.

/** Below a step. */
export const formerOfSteps: Readonly<Record<string, string>> = {
  masks: 'Write {today}, {yesterday:yyyy-MM-dd} or a variable where the value stands.',
  variables: 'Declare them under `variables` at the root of the file.',
  arguments: 'Write them under `params`, by the names that the processor declares.',
  args: 'Write them under `params`, by the names that the processor declares.',
  attributes: 'Write them under `params`, by the names that the processor declares.',
  parameters: 'Write them under `params`.',
  pattern: 'Write the text with variables in it: "sales-{today}.csv".',
  branch: 'Give each branch a group, and name what it comes after in `depends`.',
  after: 'Write `depends`.',
  input: 'Write `bind: { port: { from: Step.port } }`.',
  output: 'Write `bind: { port: collection }`.',
  inputs: 'Write them under `bind`, by the names of the ports.',
  outputs: 'Write them under `bind`, by the names of the ports.',
};

/** Below `events`. */
export const formerOfEvents: Readonly<Record<string, string>> = {
  publish: "Listen to the app's events in TypeScript, or send a `webhook`.",
  start: 'Write `started`.',
  running: 'Write `started`.',
  done: 'Write `succeeded`.',
  completed: 'Write `succeeded`.',
  exception: 'Write `failed`.',
  on_error: 'Write `failed`.',
  error: 'Write `failed`.',
  warning: 'Write `partial`.',
  done_with_warnings: 'Write `partial`.',
  data_not_found: 'Write `failed`; a step that may find nothing has `when: { rows: Step.port }` on the steps after it.',
  data_error: 'Write `failed`.',
  file_not_found: 'Write `failed`.',
  file_empty: 'Write `failed`; a step that may find nothing has `when: { rows: Step.port }` on the steps after it.',
};

/** At the root. */
export const formerOfRoot: Readonly<Record<string, string>> = {
  comments: 'Write `description`, or a comment of the file.',
  program: 'Leave it out: a workflow is known by its name.',
  task: 'Write `name`.',
  params: 'Write them below the step that they belong to.',
  masks: 'Write {today}, {yesterday:yyyy-MM-dd} or a variable where the value stands.',
};

/** Components of flowtask that read, write and change rows: here they are classes of the user's own. */
export const formerFamily =
  /^(?:DownloadFrom|UploadTo|OpenWith|CopyTo|CopyFrom|QueryTo|TableInput|TableOutput|TransformRows|FilterRows|SendNotify|SendEmail|t[A-Z])/;

/** What components of flowtask are here. */
export const formerComponents: Readonly<Record<string, string>> = {
  Dummy: 'Leave it out.',
  PrintMessage: 'Write `log` under `events`.',
  FileCopy: 'Write `copy` under `events`.',
  FileDelete: 'Write `delete` under `events`.',
  Loop: 'A processor reads all rows of its input: loop in it.',
  IF: 'Write `when` on the steps of each branch.',
  SubTask: 'Write `workflow: { path: other.yaml }`.',
  RunTask: 'Write `workflow: { path: other.yaml }`, or the action `run` under `events`.',
  RunShell: 'Write `command: { command: sh, args: [-c, "…"] }`.',
  SetVariables: 'Declare `variables` at the root of the file.',
  UserFunc: 'Write a class with @Processor.',
  GroupComponent: 'Write `group: { name: …, steps: […] }`.',
  WebHook: 'Write `webhook` under `events`.',
};
