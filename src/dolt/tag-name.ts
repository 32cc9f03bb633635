const LONGEST = 255;

/**
 * A text as the name of a tag: without spaces around it. Null where Dolt must not even be asked: `head`, `refs/…` and a very
 * long name end the connection (a panic), a dash begins an option, and the rest of what it never takes (spaces, other
 * characters than those of ASCII) would be another name once it stood in one line of a commit's message. What else is no
 * name, as `a..b` or a commit's hash, Dolt says itself.
 */
export function tagName(text: string): string | null {
  const name = text.trim();
  const fit = name.length <= LONGEST && /^[!-~]+$/.test(name) && !/^(-|refs\/)/.test(name) && !/^head$/i.test(name);
  return fit ? name : null;
}
