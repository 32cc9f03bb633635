/** A quoted SQL string. Dolt honours backslash escapes in every sql_mode. */
export const quoteText = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

export const textOrNull = (text: string | null): string => (text === null ? 'NULL' : quoteText(text));
