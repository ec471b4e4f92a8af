/** Tags of key records, as `--tag K=V` gives them. */
import { UsageError } from '#formats/errors';

/**
 * Tags from `K=V` arguments.
 * @throws {@link UsageError} `E_TAG_MALFORMED`, `E_TAG_TWICE`
 */
export function parseTags(given: readonly string[]): Readonly<Record<string, string>> {
  const tags = new Map<string, string>();
  for (const text of given) {
    const groups = /^(?<key>[A-Za-z0-9._-]{1,64})=(?<value>[^]{0,256})$/.exec(text)?.groups;
    if (groups === undefined) {
      throw new UsageError({
        code: 'E_TAG_MALFORMED',
        message: `${JSON.stringify(text)} is not a tag`,
        hint: 'write --tag team=payments; the name of letters, digits, . _ and -',
      });
    }
    const key = groups['key'] as string;
    if (tags.has(key)) {
      throw new UsageError({
        code: 'E_TAG_TWICE',
        message: `the tag ${key} is given twice`,
        hint: 'leave one of them out',
      });
    }
    tags.set(key, groups['value'] as string);
  }
  return Object.fromEntries(tags);
}
