/** Which of the actions that protect a key leave something from which this ceremony can bring it back. */
import type { ActionDescription } from '#formats/action';

/**
 * Whether what an action protected can be restored from what it made: only shares can. What was wrapped is opened by whoever
 * holds the recipient's key, and that is somebody elsewhere.
 */
export function isRestorable(action: ActionDescription | undefined): boolean {
  return (
    action?.secrecy === 'protects' &&
    Object.values(action.outputs).some(({ type }) => type === 'share-set')
  );
}
