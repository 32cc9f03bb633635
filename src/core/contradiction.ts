/** The stream says something that can not follow from what it said before, e.g. inserts a key twice. */
export class Contradiction extends Error {}
