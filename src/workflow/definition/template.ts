/** A piece of a text that variables stand in. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** `{name}`, `{name:argument}`. */
  | { readonly kind: 'reference'; readonly written: string; readonly name: string; readonly argument: string | undefined }
  | { readonly kind: 'mistake'; readonly written: string; readonly message: string };

const reference = /^\{([A-Za-z_][\w.-]*)(?::([^{}]*))?\}/;

/**
 * Takes a text apart: `{name}` and `{name:argument}` are references, `{{` is a brace, and so is the `}}` that closes one; any other
 * `}` stands for itself.
 */
export function parseTemplate(text: string): readonly Part[] {
  if (!text.includes('{')) return [{ kind: 'text', text }];
  const parts: Part[] = [];
  let plain = '';
  let open = 0; // braces that `{{` stands for, and none has closed
  for (let at = 0; at < text.length;) {
    const two = text.slice(at, at + 2);
    if (two === '{{' || (two === '}}' && open > 0)) {
      plain += two.slice(0, 1);
      open += two === '{{' ? 1 : -1;
      at += 2;
    } else if (text[at] === '{') {
      const [written, name, argument] = reference.exec(text.slice(at)) ?? [];
      if (plain !== '') parts.push({ kind: 'text', text: plain });
      plain = '';
      const part =
        name === undefined || written === undefined ? mistake(text.slice(at)) : ({ kind: 'reference', written, name, argument } as const);
      parts.push(part);
      at += part.written.length;
    } else {
      if (text[at] === '}' && open > 0) open--;
      plain += text[at] ?? '';
      at++;
    }
  }
  if (plain !== '' || parts.length === 0) parts.push({ kind: 'text', text: plain });
  return parts;
}

/** Whether a name was meant to have a variable in it. */
export function hasReference(text: string): boolean {
  return text.includes('{') && parseTemplate(text).some(({ kind }) => kind === 'reference');
}

function mistake(rest: string): Part & { readonly kind: 'mistake' } {
  const end = rest.indexOf('}');
  if (end < 0) return { kind: 'mistake', written: '{', message: "a '{' is not closed" };
  const written = rest.slice(0, end + 1);
  return { kind: 'mistake', written: '{', message: `'${written}' names no variable` };
}
