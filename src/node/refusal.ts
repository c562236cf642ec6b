import type { Refusal } from '../protocol/messages.ts';

/** The node understood the request and says no. Not a failure of the link: the answer is certain. */
export class NodeRefusal extends Error {
  override readonly name = 'NodeRefusal';
  readonly code: Refusal;

  constructor(code: Refusal, message: string) {
    super(message);
    this.code = code;
  }
}
