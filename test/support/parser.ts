// A RESP2/RESP3 parser for tests, written apart from src/resp so that a mistake there shows.

export interface Parsed {
  readonly type:
    | 'status'
    | 'error'
    | 'integer'
    | 'bulk'
    | 'null'
    | 'nullarray'
    | 'array'
    | 'map'
    | 'set'
    | 'push'
    | 'double'
    | 'boolean'
    | 'bignumber'
    | 'verbatim';
  /** Strings are byte strings; doubles stay text; maps are flat. */
  readonly value: string | number | bigint | boolean | null | Parsed[];
}

export class ReplyParser {
  private text = '';

  /** The replies that are complete with this chunk. */
  feed(chunk: Buffer): Parsed[] {
    this.text += chunk.toString('latin1');
    const found: Parsed[] = [];
    let at = 0;
    for (;;) {
      const one = parse(this.text, at);
      if (one === null) break;
      found.push(one.reply);
      at = one.next;
    }
    this.text = this.text.slice(at);
    return found;
  }
}

const AGGREGATES: Record<string, Parsed['type']> = { '*': 'array', '%': 'map', '~': 'set', '>': 'push' };

function parse(text: string, from: number): { reply: Parsed; next: number } | null {
  const line = text.indexOf('\r\n', from);
  if (line < 0) return null;
  const head = text[from];
  const body = text.slice(from + 1, line);
  const next = line + 2;
  const simple = (type: Parsed['type'], value: Parsed['value']) => ({ reply: { type, value }, next });
  switch (head) {
    case '+':
      return simple('status', body);
    case '-':
      return simple('error', body);
    case ':': {
      const n = Number(body);
      return simple('integer', Number.isSafeInteger(n) ? n : BigInt(body));
    }
    case ',':
      return simple('double', body);
    case '#':
      return simple('boolean', body === 't');
    case '(':
      return simple('bignumber', body);
    case '_':
      return simple('null', null);
    case '$':
    case '=': {
      const length = Number(body);
      if (length < 0) return simple('null', null);
      if (text.length < next + length + 2) return null;
      const value = text.slice(next, next + length);
      return {
        reply: head === '$' ? { type: 'bulk', value } : { type: 'verbatim', value: value.slice(4) },
        next: next + length + 2,
      };
    }
  }
  const type = AGGREGATES[head];
  if (type === undefined) throw new Error(`not RESP: ${JSON.stringify(text.slice(from, from + 40))}`);
  const count = Number(body) * (type === 'map' ? 2 : 1);
  if (count < 0) return simple('nullarray', null);
  const items: Parsed[] = [];
  let at = next;
  for (let i = 0; i < count; i++) {
    const item = parse(text, at);
    if (item === null) return null;
    items.push(item.reply);
    at = item.next;
  }
  return { reply: { type, value: items }, next: at };
}
