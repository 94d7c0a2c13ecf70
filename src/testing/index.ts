export { createTestApp } from './create-test-app.js';
export { runProcessor, type ProcessorRun, type ProcessorRunOptions } from './run-processor.js';
export { storeContract } from './store-contract.js';
export { turnedClock, type TurnedClock } from './turned-clock.js';
export type { Bindings, Provision } from '../types.js';
