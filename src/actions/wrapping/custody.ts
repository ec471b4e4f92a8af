/** In whose custody a key is when it goes into an envelope: what `wrap` and `rewrap` share. */
import type { WrappingFormat } from '#carriage/wrapping/format';
import { heldBy, type HeldBy, inCustody } from '#custody/authority/held-by';
import type { KeyRecord } from '#custody/authority/record';
import { UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import type { ActionContext } from '../context/context.js';

/** A record as it goes along, and what the envelope says of it. */
export interface Held {
  readonly record: KeyRecord;
  readonly custody: HeldBy | undefined;
}

/**
 * The record as it goes along: in the custody that was chosen, else as it says already, else custodial.
 * @throws {@link UsageError} `E_WRAP_CHOICE` for a choice where the format has none
 */
export function heldRecord(
  record: KeyRecord,
  format: WrappingFormat,
  asked: string | undefined,
  { now }: ActionContext,
): Held {
  assertCustody(format, asked);
  if (format.custody !== true) return { record, custody: undefined };
  const custody =
    asked === 'self' || asked === 'custodial' ? asked : (heldBy(record) ?? 'custodial');
  return { record: inCustody(record, custody, { time: formatTime(now()) }), custody };
}

/** @throws {@link UsageError} `E_WRAP_CHOICE` */
export function assertCustody(format: WrappingFormat, asked: string | undefined): void {
  if (asked === undefined || format.custody === true) return;
  throw new UsageError({
    code: 'E_WRAP_CHOICE',
    message: `${format.name} does not say in whose custody a key is`,
    hint: 'leave --custody out, or choose --format envelope',
  });
}
