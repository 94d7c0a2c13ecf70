import { randomBytes } from 'node:crypto';

const process = randomBytes(5).toString('hex');
let count = randomBytes(3).readUIntBE(0, 3);
/** What all ids of a second begin with. */
let second = -1;
let prefix = '';

/** A unique id of 24 hexadecimal digits that sorts by the second it was made in: the layout of a MongoDB ObjectId. */
export function newId(now: number = Date.now()): string {
  count = (count + 1) & 0xff_ff_ff;
  const seconds = Math.floor(now / 1000);
  if (seconds !== second) {
    second = seconds;
    prefix = seconds.toString(16).padStart(8, '0') + process;
  }
  return prefix + count.toString(16).padStart(6, '0');
}
