/** Says why an entry has no business where it stands; caught where a session is walked. */
export class Misstep extends Error {}
