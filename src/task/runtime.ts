import type { StoreSet } from '../binding/resolved.js';
import type { Reject } from '../binding/row-guard.js';
import type { ContainerCore } from '../container/types.js';
import type { Clock, Log } from '../types.js';
import type { EventHub } from './event-hub.js';
import type { Recorder } from './recorder.js';

/** What an app lends to its tasks. */
export interface Runtime {
  readonly container: ContainerCore;
  readonly stores: StoreSet;
  readonly events: EventHub;
  readonly recorder: Recorder;
  readonly log: Log;
  /** Whether a run logs how it starts and ends, besides what its processor logs. */
  readonly announce: boolean;
  /** The system's where undefined. */
  readonly clock: Clock | undefined;
  /** Milliseconds that an action which ignores its signal is waited for. */
  readonly closeTimeout: number;
  /** Rows are frozen, so that a change to a shared row throws. */
  readonly freeze: boolean;
  /** Told of every row that a port refuses, by attempt and property. */
  onReject?(attempt: number, property: string, reject: Reject): void;
  /** Notes a run under way, so that closing the app waits for it; throws when the app is closed. */
  enter(run: Promise<unknown>): void;
  refuseIfClosed(): void;
}
