import type { TypeCase } from './type-case.js';
import { DOCUMENTS } from './type-cases-json.js';
import { NUMBERS, TIMES } from './type-cases-scalar.js';
import { KEPT_AS_TEXT } from './type-cases-text.js';

export const TYPE_CASES: readonly TypeCase[] = [...NUMBERS, ...TIMES, ...DOCUMENTS, ...KEPT_AS_TEXT];
