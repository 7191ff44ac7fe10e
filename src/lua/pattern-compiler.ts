// Makes a JavaScript function of a Lua pattern: nested loops, one for each repetition that can try again, over
// the subject's char codes. Used by patterns.ts for patterns that are used much.
//
// Nothing of the pattern's text goes into the program: sets and prefixes are handed in as values, numbers are
// the only thing written.
import { fail } from './errors.ts';
import {
  ALL_BYTES,
  type ByteSet,
  type Item,
  literalFrom,
  MATCH,
  OP,
  type Search,
  STEPS,
} from './pattern-items.ts';

/** What is compiled: a Pattern of patterns.ts. */
export interface Compilable {
  readonly items: readonly Item[];
  readonly captures: readonly number[];
  readonly anchored: boolean;
  readonly first: ByteSet | null;
  readonly needsByte: boolean;
  readonly prefix: string;
}

/**
 * @param inBytes whether the search is to read the bytes, not the subject itself
 * @param pay told now and then how many steps were done
 */
export function compilePattern(pattern: Compilable, inBytes: boolean, pay: (steps: number) => void): Search {
  const { body, sets, texts, messages } = new Writer(pattern, inBytes).write();
  const names = ['M', 'pause', 'raise', ...sets.map((_, k) => `t${k}`), ...texts.map((_, k) => `x${k}`)];
  const raise = (k: number) => {
    throw fail(messages[k]);
  };
  const pause = (steps: number): number => {
    pay(steps);
    return 0;
  };
  // The tables come in as variables of a surrounding function: faster than as elements of an array.
  const make = new Function(...names, body) as (...values: unknown[]) => Search;
  return make(MATCH, pause, raise, ...sets, ...texts);
}

/** Longer texts are not compared byte by byte. */
const LONG_LITERAL = 8;

class Writer {
  private readonly pattern: Compilable;
  private readonly inBytes: boolean;
  private readonly sets: ByteSet[] = [];
  private readonly texts: string[] = [];
  private readonly messages: string[] = [];
  /** Variables of the function besides those that every function has. */
  private readonly variables: string[] = [];
  private readonly lines: string[] = [];
  /** How many of the next bytes the search for the beginning has checked already. */
  private checked = 0;
  /** Item behind which a failed match has shown that none begins before place `e` either, or -1. */
  private readonly leap: number;

  constructor(pattern: Compilable, inBytes: boolean) {
    this.pattern = pattern;
    this.inBytes = inBytes;
    this.leap = pattern.anchored ? -1 : leapItem(pattern.items);
  }

  write(): { body: string; sets: ByteSet[]; texts: string[]; messages: string[] } {
    const { anchored, captures } = this.pattern;
    const { lines, sets, texts, messages } = this;
    for (let k = 0; k < captures.length; k++) this.variables.push(`a${k} = 0`, `z${k} = 0`);
    if (anchored) {
      lines.push('let b = from;', 'S: {', 'i = b;');
      this.item(0, 'break S;');
      lines.push('}');
    } else {
      const count = this.leap < 0 ? 'i - b + 1' : 'e - b + 1';
      const next = this.leap < 0 ? 'b + 1' : 'e + 1';
      const step = `steps = (steps += ${count}) > ${STEPS} ? pause(steps) : steps, b = ${next}`;
      lines.push(`S: for (let b = from; b <= n; ${step}) {`);
      this.begin();
      lines.push('i = b;');
      this.item(0, 'continue S;');
      lines.push('}');
    }
    lines.push(`if ((steps += i - from) > ${STEPS}) pause(steps);`, 'return -1;', '};');
    const variables = ['n = s.length', 'i = from', 'e = from', 'steps = 0', ...this.variables];
    const body = [
      '"use strict";',
      'return function (s, u, from) {',
      `let ${variables.join(', ')};`,
      ...lines,
    ];
    return { body: body.join('\n'), sets, texts, messages };
  }

  /** Moves `b` on to where a match can begin. */
  private begin(): void {
    const { first, needsByte, prefix, items } = this.pattern;
    if (prefix !== '') {
      this.lines.push(this.find('b', 'b', prefix), 'if (b < 0) { i = n; break S; }');
      this.checked = prefix.length;
      return;
    }
    if (first === null) return;
    this.lines.push(`while (b < n && ${this.test(first, 'b', false)}) b++;`);
    if (!needsByte) return;
    this.lines.push('if (b >= n) { i = n; break S; }');
    const one = items.find(({ op }) => op !== OP.OPEN && op !== OP.CLOSE);
    if (one?.op === OP.ONE) this.checked = 1;
  }

  /** Code for item k and all that follow; `failed` is what to do where they do not match. */
  private item(k: number, failed: string): void {
    const { lines } = this;
    const { op, set, a, b, text } = this.pattern.items[k];
    switch (op) {
      case OP.ONE:
        if (this.checked > 0) this.checked--;
        else lines.push(`if (i >= n || ${this.test(set, 'i', false)}) ${failed}`);
        lines.push('i++;');
        break;
      case OP.LITERAL:
        this.literal(text, failed);
        break;
      case OP.RUN:
        lines.push(set === ALL_BYTES ? 'i = n;' : `while (i < n && ${this.test(set, 'i', true)}) i++;`);
        if (k === this.leap) lines.push('e = i;');
        break;
      case OP.MAYBE:
        lines.push(`if (i < n && ${this.test(set, 'i', true)}) i++;`);
        break;
      case OP.GREEDY:
      case OP.OPTION: {
        lines.push(`const l${k} = i;`);
        if (op === OP.OPTION) lines.push(`if (i < n && ${this.test(set, 'i', true)}) i++;`);
        else if (set === ALL_BYTES) lines.push('i = n;');
        else lines.push(`while (i < n && ${this.test(set, 'i', true)}) i++;`);
        if (k === this.leap) lines.push('e = i;');
        lines.push(`L${k}: for (let j = i; j >= l${k}; ${counted('i - j + 1')}, j--) {`, 'i = j;');
        this.item(k + 1, `continue L${k};`);
        lines.push('}', failed);
        return;
      }
      case OP.LAZY:
        this.lazy(k, failed);
        return;
      case OP.OPEN:
        lines.push(`a${a} = i;`);
        break;
      case OP.CLOSE:
        lines.push(`z${a} = i;`);
        break;
      case OP.BALANCE:
        lines.push(
          `if (i >= n || ${this.at('i')} !== ${a}) ${failed}`,
          '{ let d = 1, q = i + 1;',
          `for (; q < n; q++) { const c = ${this.at('q')};`,
          `if (c === ${b}) { if (--d === 0) break; } else if (c === ${a}) d++; }`,
          `steps += q - i; if (q >= n) ${failed}`,
          'i = q + 1; }',
        );
        break;
      case OP.FRONTIER: {
        const t = this.table(set);
        lines.push(
          `if (${t}[i > 0 ? ${this.at('i - 1')} : 0] !== 0 || ${t}[i < n ? ${this.at('i')} : 0] === 0) ${failed}`,
        );
        break;
      }
      case OP.BACK:
        lines.push(
          `{ const w = z${a} - a${a}; let q = 0; if (n - i < w) ${failed}`,
          `while (q < w && ${this.at(`a${a} + q`)} === ${this.at('i + q')}) q++;`,
          `steps += q; if (q < w) ${failed}`,
          'i += w; }',
        );
        break;
      case OP.END:
        lines.push(`if (i !== n) ${failed}`);
        break;
      case OP.ACCEPT: {
        lines.push(`if ((steps += b - from) > ${STEPS}) pause(steps);`, 'M[0] = i;');
        const { captures } = this.pattern;
        for (let c = 0; c < captures.length; c++)
          lines.push(`M[${1 + 2 * c}] = a${c}; M[${2 + 2 * c}] = z${c};`);
        lines.push('return b;');
        return;
      }
      case OP.ERROR:
        this.messages.push(text);
        lines.push(`raise(${this.messages.length - 1});`);
        return;
      case OP.NEVER:
        lines.push(failed);
        return;
      default:
        break;
    }
    this.item(k + 1, failed);
  }

  private literal(text: string, failed: string): void {
    const { lines } = this;
    const known = Math.min(this.checked, text.length);
    this.checked -= known;
    if (known > 0) lines.push(`i += ${known};`);
    const rest = text.slice(known);
    if (rest === '') return;
    if (rest.length > LONG_LITERAL) {
      lines.push(
        `if (${this.at('i')} !== ${rest.charCodeAt(0)} || !s.startsWith(${this.text(rest)}, i)) ${failed}`,
      );
    } else {
      const differs = [`n - i < ${rest.length}`];
      for (let q = 0; q < rest.length; q++) differs.push(`${this.at(`i + ${q}`)} !== ${rest.charCodeAt(q)}`);
      lines.push(`if (${differs.join(' || ')}) ${failed}`);
    }
    lines.push(`i += ${rest.length};`);
  }

  private lazy(k: number, failed: string): void {
    const { lines, variables } = this;
    const { items } = this.pattern;
    const { set } = items[k];
    const text = set === ALL_BYTES ? literalFrom(items, k + 1) : '';
    if (text !== '') {
      // Only places where the text that follows stands are worth trying. The first such place behind f is at
      // p; it serves for all that lies between.
      variables.push(`f${k} = n + 1`, `p${k} = -1`);
      const found = `if (p${k} < 0) p${k} = n + 1;`;
      lines.push(
        `if (i < f${k} || i > p${k}) { f${k} = i; ${this.find(`p${k}`, 'i', text)} ${found} steps += p${k} - i >> 3; }`,
      );
      if (k === this.leap) lines.push('e = n;');
      lines.push(`L${k}: for (let j = p${k}; j <= n; j = p${k}) {`, 'i = j;');
      // Failed here: on to the next.
      lines.push(`N${k}: {`);
      this.item(k + 1, `break N${k};`);
      lines.push('}');
      lines.push(`${counted('i - j + 1')}; f${k} = j + 1; ${this.find(`p${k}`, `f${k}`, text)} ${found}`);
      lines.push('}', failed);
      return;
    } else {
      const next = set === ALL_BYTES ? 'j < n' : `j < n && ${this.test(set, 'j', true)}`;
      lines.push(
        `L${k}: for (let j = i; j >= 0; ${counted('i - j + 1')}, j = ${next} ? j + 1 : -1) {`,
        'i = j;',
      );
      if (k === this.leap) lines.push('e = i;');
    }
    this.item(k + 1, `continue L${k};`);
    lines.push('}', failed);
  }

  /** Statements that set a variable to where a text begins, from a place on, or to -1. */
  private find(variable: string, from: string, text: string): string {
    const search = `s.indexOf(${this.text(text)}, ${variable})`;
    if (text.length > 1) return `${variable} = ${from}; ${variable} = ${search};`;
    // The next few bytes are looked at here: indexOf is fast, but takes a while to start.
    const near = this.inBytes ? 16 : 6;
    const loop = `while (${variable} < q && ${this.at(variable)} !== ${text.charCodeAt(0)}) ${variable}++;`;
    return `${variable} = ${from}; { let q = ${variable} + ${near}; if (q > n) q = n; ${loop} if (${variable} === q) ${variable} = ${search}; }`;
  }

  /** An expression: whether the byte at a place is (not) in a set. */
  private test(set: ByteSet, place: string, member: boolean): string {
    if (set === ALL_BYTES) return `${member}`;
    const byte = this.at(place);
    const low = set.indexOf(1);
    const high = set.lastIndexOf(1);
    if (low === high) return `${byte} ${member ? '===' : '!=='} ${low}`;
    const out = set.indexOf(0);
    if (set.indexOf(0, out + 1) < 0) return `${byte} ${member ? '!==' : '==='} ${out}`;
    const gap = set.indexOf(0, low);
    if (gap < 0 || gap > high) {
      return `(${byte} - ${low} >>> 0) ${member ? '<=' : '>'} ${high - low}`;
    }
    return `${this.table(set)}[${byte}] ${member ? '!==' : '==='} 0`;
  }

  private at(place: string): string {
    return this.inBytes ? `u[${place}]` : `s.charCodeAt(${place})`;
  }

  private table(set: ByteSet): string {
    const { sets } = this;
    const known = sets.indexOf(set);
    if (known >= 0) return `t${known}`;
    sets.push(set);
    return `t${sets.length - 1}`;
  }

  private text(text: string): string {
    const { texts } = this;
    const known = texts.indexOf(text);
    if (known >= 0) return `x${known}`;
    texts.push(text);
    return `x${texts.length - 1}`;
  }
}

/** An expression that adds to the steps, with a pause now and then. */
function counted(count: string): string {
  return `steps = (steps += ${count}) > ${STEPS} ? pause(steps) : steps`;
}

/**
 * The leading repetition where a failure says something about later beginnings: all that follows was tried at
 * every place from its lowest to its highest, and depends on the place only. The same goes for `x+`.
 */
function leapItem(items: readonly Item[]): number {
  if (items.some(({ op }) => op === OP.BACK)) return -1;
  let k = 0;
  while (items[k].op === OP.OPEN || items[k].op === OP.CLOSE) k++;
  const { op, set } = items[k];
  if (op === OP.ONE && items[k + 1].set === set) k++;
  const repetition = items[k].op;
  return repetition === OP.RUN || repetition === OP.GREEDY || repetition === OP.LAZY ? k : -1;
}
