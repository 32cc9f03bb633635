import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { configurationDoc } from '../scripts/configuration-doc.js';
import { loadConfig } from '../src/config/load.js';

const FILE = fileURLToPath(new URL('../docs/configuration.md', import.meta.url));

it('docs/configuration.md is what the schema says (write it with -u)', async () => {
  await expect(configurationDoc()).toMatchFileSnapshot(FILE);
});

it('the files that it shows are accepted', async () => {
  const files = [...configurationDoc().matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  expect(files).toHaveLength(2);
  for (const file of files) await loadConfig({ argvOptions: {}, env: {}, readFile: async () => file });
});
