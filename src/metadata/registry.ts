// What classes say of themselves: the face of this room for those that read it. Decorators write through writers.ts.
export { callSite, type CallSite } from './call-site.js';
export { getDependenciesSpec } from './dependencies-spec.js';
export { designParameterTypes, designTypeOf } from './design-type.js';
export { findProcessorSpec, getProcessorSpec } from './processor-spec.js';
export { secretsOf } from './secrets.js';
