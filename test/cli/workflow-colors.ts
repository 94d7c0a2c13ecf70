import picocolors from 'picocolors';

export const picocolorsOff = picocolors.createColors(false);
