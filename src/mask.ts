/** What stands in place of a secret, wherever a person or a log could see it. */
export const MASK = '***';

/** `scheme://user:password@`, up to the last `@` before the path, query or fragment. */
const CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>`]*@/gi;
/** The same with a `/`, `?` or `#` that the password should have escaped; digits alone after the colon are a port. */
const UNESCAPED_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s/?#:@"'<>`]*:(?!\d+[/?#])[^\s"'<>`]*@/gi;
const SECRET_NAME = String.raw`(?:[^\s=&?#;]*(?:passw|pwd|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|signature|credential)[^\s=&?#;]*|auth|key|sig|pass)`;
/** `?token=…`, `&api_key=…`, `#access_token=…`. */
const SECRET_PARAMETER = new RegExp(`([?&#;]${SECRET_NAME}=)[^\\s&#;"'<>\`]+`, 'gi');

/** A text in which the credentials of URLs, and parameters of theirs that are named like a secret, are hidden. */
export function maskUrl(text: string): string {
  return text.replace(CREDENTIALS, `$1${MASK}@`).replace(UNESCAPED_CREDENTIALS, `$1${MASK}@`).replace(SECRET_PARAMETER, `$1${MASK}`);
}
