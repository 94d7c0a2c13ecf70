import { findEntry, textOf, type Entry, type MapNode } from './node.js';
import type { At, Faults } from './source.js';
import type { WrittenStep } from './written-step.js';

/** `Group: G` and `to_group: G` as the groups that they mean: the members of G run where the step with `to_group` stands, after it. */
export function regroup(steps: readonly WrittenStep[], faults: Faults): readonly WrittenStep[] {
  const members = membersOf(steps);
  const led = ledBy(steps, members, faults);
  if (members.size === 0) return steps;
  const begun = new Set(led.values());
  const placed = new Set<WrittenStep>();
  const place = (step: WrittenStep): WrittenStep[] => {
    placed.add(step);
    const group = led.get(step);
    return group === undefined ? [step] : [step, made(group, step.at)];
  };
  const made = (group: string, at: At): WrittenStep => toGroup(group, (members.get(group) ?? []).flatMap(place), at);
  const whole = steps.flatMap((step) => {
    const own = textOf(groupOf(step)?.value);
    if (own === undefined) return place(step);
    return members.get(own)?.[0] === step && !begun.has(own) ? [made(own, step.at)] : [];
  });
  for (const step of steps) {
    const entry = groupOf(step);
    if (placed.has(step) || entry === undefined) continue;
    const name = textOf(entry.value) ?? '';
    faults.invalid(entry.value.at, `group '${name}' is begun by a step within it`, 'Write `to_group` on a step outside of the group.');
  }
  return whole;
}

function groupOf(step: WrittenStep): Entry | undefined {
  return findEntry(step.body, 'Group');
}

function membersOf(steps: readonly WrittenStep[]): ReadonlyMap<string, readonly WrittenStep[]> {
  const members = new Map<string, WrittenStep[]>();
  for (const step of steps) {
    const group = textOf(groupOf(step)?.value);
    if (group === undefined) continue;
    const others = members.get(group);
    if (others === undefined) members.set(group, [step]);
    else others.push(step);
  }
  return members;
}

/** The group that each step with `to_group` begins. */
function ledBy(steps: readonly WrittenStep[], members: ReadonlyMap<string, unknown>, faults: Faults): ReadonlyMap<WrittenStep, string> {
  const led = new Map<WrittenStep, string>();
  const begun = new Set<string>();
  for (const step of steps) {
    const entry = findEntry(step.body, 'to_group');
    const group = textOf(entry?.value);
    if (entry === undefined || group === undefined) continue;
    if (begun.has(group)) faults.invalid(entry.value.at, `group '${group}' is defined twice`, 'Write `to_group` on one step.');
    else if (!members.has(group))
      faults.invalid(entry.value.at, `group '${group}' was defined but has no matching steps`, `Write 'Group: ${group}' on its steps.`);
    else {
      led.set(step, group);
      begun.add(group);
    }
  }
  return led;
}

function toGroup(name: string, members: readonly WrittenStep[], at: At): WrittenStep {
  const body: MapNode = {
    kind: 'map',
    at,
    entries: [{ key: 'name', at, value: { kind: 'scalar', at, end: at.offset, value: name, text: name } }],
  };
  return { key: 'group', at, body, number: undefined, members, former: true };
}
