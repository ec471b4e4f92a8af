/** Names as definitions spell them and as code does. */

/** `public-key` to `publicKey`: how a YAML name becomes the name of an action's input or output. */
export function camelCase(kebab: string): string {
  return kebab.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `publicKey` to `public-key`. */
export function kebabCase(camel: string): string {
  return camel.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
