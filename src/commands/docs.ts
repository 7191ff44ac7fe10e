// The `syntax` notation of a spec row, parsed into the argument tree that COMMAND DOCS answers. One notation is
// enough for manual, completion and COMMAND DOCS alike.
//
//   key value [NX|XX] [EX seconds|PX milliseconds] [field value ...]
//
// Upper-case words are tokens, others are arguments; [] is optional, | separates alternatives, <> holds alternatives of
// which one must stand, `...` repeats.

export interface Argument {
  readonly name: string;
  readonly type:
    | 'string'
    | 'integer'
    | 'double'
    | 'key'
    | 'pattern'
    | 'unix-time'
    | 'pure-token'
    | 'oneof'
    | 'block';
  readonly token?: string;
  readonly optional: boolean;
  readonly multiple: boolean;
  readonly arguments?: readonly Argument[];
}

/** Parses a syntax line. */
export function parseSyntax(syntax: string): Argument[] {
  const tokens = syntax.match(/\.\.\.|[[\]<>|]|[^\s[\]<>|]+/g) ?? [];
  let at = 0;

  // A sequence of arguments up to `]`, `>` or the end, split at `|` into alternatives.
  function alternatives(): Argument[][] {
    const all: Argument[][] = [[]];
    while (at < tokens.length && tokens[at] !== ']' && tokens[at] !== '>') {
      const current = all[all.length - 1];
      if (tokens[at] === '|') {
        at++;
        all.push([]);
      } else if (tokens[at] === '[' || tokens[at] === '<') {
        const optional = tokens[at++] === '[';
        const group = grouped(alternatives(), optional);
        at++;
        if (group !== null) merge(current, group);
      } else if (tokens[at] === '...') {
        at++;
        const last = current.pop();
        if (last !== undefined) current.push({ ...last, multiple: true });
      } else {
        current.push(word(tokens[at++]));
      }
    }
    return all.map(joinTokens);
  }

  const top = alternatives();
  return top.length === 1 ? top[0] : [grouped(top, false) as Argument];
}

// `[key ...]` behind `key` says that the key repeats, not that there is another argument.
function merge(current: Argument[], group: Argument): void {
  const last = current[current.length - 1];
  if (last !== undefined && group.multiple && group.name === last.name && group.arguments === undefined) {
    current[current.length - 1] = { ...last, multiple: true };
    return;
  }
  current.push(group);
}

function grouped(parts: Argument[][], optional: boolean): Argument | null {
  const options = parts
    .filter((part) => part.length > 0)
    .map((part) => (part.length === 1 ? part[0] : block(part)));
  if (options.length === 0) return null;
  if (options.length === 1) return { ...options[0], optional };
  return { name: options[0].name, type: 'oneof', optional, multiple: false, arguments: options };
}

function block(part: Argument[]): Argument {
  const multiple = part[part.length - 1].multiple;
  const inner = multiple ? [...part.slice(0, -1), { ...part[part.length - 1], multiple: false }] : part;
  return { name: part[0].name, type: 'block', optional: false, multiple, arguments: inner };
}

// `EX seconds`: a token gives its name to the argument behind it.
function joinTokens(part: Argument[]): Argument[] {
  const joined: Argument[] = [];
  for (const argument of part) {
    const last = joined[joined.length - 1];
    const follows =
      last?.type === 'pure-token' && !last.optional && !argument.optional && argument.type !== 'pure-token';
    if (follows && argument.type !== 'oneof' && argument.type !== 'block') {
      joined[joined.length - 1] = { ...argument, token: last.token };
    } else joined.push(argument);
  }
  return joined;
}

function word(text: string): Argument {
  const base = { optional: false, multiple: false };
  if (/^[A-Z#*=~][A-Z0-9#*=~-]*$/.test(text)) {
    return { ...base, name: text.toLowerCase(), type: 'pure-token', token: text };
  }
  return { ...base, name: text, type: typeOf(text) };
}

function typeOf(name: string): Argument['type'] {
  if (/^(source|destination|destkey|newkey)$|key$|^key/.test(name)) return 'key';
  if (/^unix-time/.test(name)) return 'unix-time';
  if (/pattern/.test(name)) return 'pattern';
  if (/^(min|max|score|weight|timeout|increment-float)$/.test(name)) return 'double';
  if (
    /^(seconds|milliseconds|index|count|numkeys|offset|start|stop|end|decrement|increment|cursor|rank)$/.test(
      name,
    )
  ) {
    return 'integer';
  }
  return 'string';
}
