import { z } from 'zod';

/** placeholder so that the shape is known; filled in by its owner */
export const configSchema = z.strictObject({});
