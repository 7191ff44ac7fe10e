// The libraries in a payload of FUNCTION DUMP, for FUNCTION RESTORE; the payload itself is persistence/rdb's. Used by
// functions.ts.
import { Opcode, RdbError } from '../persistence/rdb/format.ts';
import type { RdbInput } from '../persistence/rdb/input.ts';
import { openPayload } from '../persistence/rdb/payload.ts';
import { ReplyError } from '../resp/reply.ts';

const WRONG_FOOTER = new ReplyError('ERR DUMP payload version or checksum are wrong');
const NO_LIBRARY = new ReplyError('ERR given type is not a function');
const TOO_OLD = new ReplyError('ERR Pre-GA function format not supported');
const BROKEN = new ReplyError('ERR Failed loading library payload');

/**
 * The codes of the libraries in a payload, one by one: what is wrong with the second shows once the first was taken.
 * @throws ReplyError what FUNCTION RESTORE answers
 */
export function* dumpedLibraries(payload: string): Generator<string, void, void> {
  const open = openPayload(payload);
  if (open === null) throw WRONG_FOOTER;
  const { input, end } = open;
  while (input.offset < end) {
    const type = input.byte();
    if (type === Opcode.functionPreview) throw TOO_OLD;
    if (type !== Opcode.function) throw NO_LIBRARY;
    yield code(input);
  }
}

function code(input: RdbInput): string {
  try {
    return input.string();
  } catch (error) {
    throw error instanceof RdbError ? BROKEN : error;
  }
}
