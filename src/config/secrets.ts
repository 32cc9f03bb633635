/** Keeps passwords out of everything that is printed. */

const SECRET_NAME = /pass|secret|token|key/i;

/** A URL that may be printed: the password, and parameters that look like one, are `***`. */
export function redactUrl(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return '***'; // what can not be read may be all secret
  }
  // An unescaped # / or ? in a password ends the part of the URL where it would be hidden.
  if (parsed.hash !== '' || /@/.test(parsed.pathname + parsed.search)) return '***';
  if (parsed.password !== '') parsed.password = '***';
  for (const name of parsed.searchParams.keys()) {
    if (SECRET_NAME.test(name)) parsed.searchParams.set(name, '***');
  }
  return parsed.href;
}

/**
 * The same for URLs inside any text, whoever wrote it; JSON stays JSON. Goes to the last `@` before a blank or a quote,
 * since a password that was not percent-encoded may have one itself. `<password>` stays: our own messages say it.
 */
export function scrubSecrets(text: string): string {
  return text
    .replace(/(:\/\/[^\s"/@:]*):(?!<password>@)(?:\\.|[^\s"\\])*@/g, '$1:***@')
    .replace(/([?&][\w.-]*(?:pass|secret|token|key)[\w.-]*=)(?:\\.|[^\s"\\&])*/gi, '$1***');
}
