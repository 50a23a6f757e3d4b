/** Why a configured value is refused; the message continues "`key` (from where) …" and never quotes a secret. */
export class InvalidValue extends Error {}
