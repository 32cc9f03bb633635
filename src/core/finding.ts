/** Something that `check` knows beforehand: an error stops a run, the others are worth reading. */
export interface Finding {
  readonly severity: 'error' | 'warning' | 'info';
  /** Stable and short, for scripts, e.g. `wal_level`. */
  readonly code: string;
  /** One sentence: what is so, and why it matters. */
  readonly message: string;
  /** What to paste or to set, as SQL or configuration; may have several lines. */
  readonly fix?: string;
}

const ofSeverity =
  (severity: Finding['severity']) =>
  (code: string, message: string, fix?: string): Finding => ({
    severity,
    code,
    message,
    ...(fix === undefined ? {} : { fix }),
  });

export const error = ofSeverity('error');
export const warning = ofSeverity('warning');
export const info = ofSeverity('info');

/** `a, b, c and 12 more`: names in a sentence, which stays one. */
export function listed(names: readonly string[], most = 5): string {
  const rest = names.length - most;
  return rest > 1 ? `${names.slice(0, most).join(', ')} and ${rest} more` : names.join(', ');
}

const HEADINGS = [
  ['error', 'Errors: wal2dolt does not start before they are gone'],
  ['warning', 'Warnings'],
  ['info', 'Good to know'],
] as const;

/** All findings as text, grouped by severity, the worst first, each with its fix below it. Empty when there are none. */
export function formatFindings(findings: readonly Finding[]): string {
  const groups: string[] = [];
  for (const [severity, heading] of HEADINGS) {
    const entries = findings.filter((finding) => finding.severity === severity);
    if (entries.length > 0) groups.push([`${heading}:`, ...entries.map(formatFinding)].join('\n'));
  }
  return groups.join('\n\n');
}

function formatFinding(finding: Finding): string {
  const message = `  [${finding.code}] ${finding.message}`;
  return finding.fix === undefined ? message : `${message}\n${finding.fix.trimEnd().replace(/^/gm, '      ')}`;
}
