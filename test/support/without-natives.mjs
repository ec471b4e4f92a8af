/** Preloaded with `--import`: a Node in which the optional modules are not installed. */
import { register } from 'node:module';

const hooks = `
const absent = ['keytar', '@napi-rs/keyring', 'pkcs11js'];
export const resolve = (specifier, context, next) => {
  if (absent.includes(specifier)) throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  return next(specifier, context);
};`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
