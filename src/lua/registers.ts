// Where the code generator of Lua 5.1 would keep each value: its registers, constants and the moment at which it would
// load a variable. parser.ts and expressions.ts follow it along, for two things depend on it that scripts can see:
// whether a function is "too complex" (a call of 250 arguments is), and which line a failing access reports. No code
// comes of it.
import type { Expression } from './ast.ts';
import type { Lexer } from './lexer.ts';
import { LuaError } from './value.ts';

// Kinds of operands.
export const VOID = 0;
export const NIL = 1;
export const TRUE = 2;
export const FALSE = 3;
/** A string, or a constant already in the table. */
export const CONSTANT = 4;
export const NUMBER = 5;
export const LOCAL = 6;
export const UPVALUE = 7;
export const GLOBAL = 8;
export const INDEXED = 9;
/** A comparison. */
const JUMP = 10;
/** The last instruction delivers it, to a register yet to be chosen. */
export const RELOCATABLE = 11;
export const FIXED = 12;
export const CALL = 13;
export const VARARG = 14;

// What instruction a RELOCATABLE comes from, where that matters.
const ANY = 0;
const OP_NOT = 1;
const OP_CONCAT = 2;

const MAX_REGISTERS = 250;
/** Constants beyond the first ones cannot be operands: they take a register. */
const MAX_OPERAND_CONSTANT = 255;
/** Marks the operand of an instruction as a constant. */
const CONSTANT_OPERAND = 256;
const MAX_CONSTANTS = 262143;

const PLACEHOLDER: Expression = { kind: 'nil' };

/** An expression on its way through the parser. */
export class Operand {
  node: Expression = PLACEHOLDER;
  kind = VOID;
  /** Register (LOCAL, FIXED, CALL; the table's for INDEXED), constant's number, or the instruction (RELOCATABLE). */
  place = 0;
  /** INDEXED: register or constant of the key. */
  key = 0;
  /** NUMBER: its value. */
  value = 0;
  /** Jumps out of an `and`, `or` or `not` wait for the value: taken where it is true, and where it is false. */
  ifTrue = false;
  ifFalse = false;

  set(kind: number, place: number): void {
    this.kind = kind;
    this.place = place;
    this.ifTrue = false;
    this.ifFalse = false;
  }

  /** Takes over everything but the node. */
  become(other: Operand): void {
    this.kind = other.kind;
    this.place = other.place;
    this.key = other.key;
    this.value = other.value;
    this.ifTrue = other.ifTrue;
    this.ifFalse = other.ifFalse;
  }

  isNumeral(): boolean {
    return this.kind === NUMBER && !this.ifTrue && !this.ifFalse;
  }

  hasMany(): boolean {
    return this.kind === CALL || this.kind === VARARG;
  }
}

/** The registers and constants of one function. */
export class Registers {
  /** First free register. */
  free = 0;
  /** Local variables in scope; they are the first registers. */
  locals = 0;
  private readonly lexer: Lexer;
  private readonly constants = new Map<string | number | boolean | null, number>();

  constructor(lexer: Lexer) {
    this.lexer = lexer;
  }

  check(count: number): void {
    if (this.free + count >= MAX_REGISTERS) throw this.lexer.unexpected('function or expression too complex');
  }

  reserve(count: number): void {
    this.check(count);
    this.free += count;
  }

  private release(place: number): void {
    if (place < CONSTANT_OPERAND && place >= this.locals) this.free--;
  }

  releaseOperand(e: Operand): void {
    if (e.kind === FIXED) this.release(e.place);
  }

  /** Number of a constant; null is nil. */
  constant(value: string | number | boolean | null): number {
    const { constants } = this;
    const known = constants.get(value);
    if (known !== undefined) return known;
    if (constants.size === MAX_CONSTANTS) throw new LuaError('constant table overflow');
    constants.set(value, constants.size);
    return constants.size - 1;
  }

  /** Loads a variable: here Lua emits the instruction, so this is the line it reports if that fails. */
  discharge(e: Operand): void {
    switch (e.kind) {
      case LOCAL:
        e.kind = FIXED;
        break;
      case UPVALUE:
        e.kind = RELOCATABLE;
        e.place = ANY;
        break;
      case GLOBAL:
        (e.node as { line: number }).line = this.lexer.lastLine;
        e.kind = RELOCATABLE;
        e.place = ANY;
        break;
      case INDEXED:
        this.release(e.key);
        this.release(e.place);
        (e.node as { line: number }).line = this.lexer.lastLine;
        e.kind = RELOCATABLE;
        e.place = ANY;
        break;
      case CALL:
      case VARARG:
        this.one(e);
        break;
    }
  }

  /** Takes just one value of a call or `...`. */
  one(e: Operand): void {
    if (e.kind === CALL) {
      e.kind = FIXED;
    } else if (e.kind === VARARG) {
      e.kind = RELOCATABLE;
      e.place = ANY;
    }
  }

  /** Takes all values of a call or `...`, or so many that their number does not matter. */
  several(e: Operand): void {
    if (e.kind === VARARG) this.reserve(1);
  }

  /** Leaves the jumps waiting. */
  private load(e: Operand, register: number): void {
    this.discharge(e);
    if (e.kind === NUMBER) this.constant(e.value);
    e.kind = FIXED;
    e.place = register;
  }

  private loadNext(e: Operand): void {
    if (e.kind === FIXED) return;
    this.reserve(1);
    this.load(e, this.free - 1);
  }

  toRegister(e: Operand, register: number): void {
    this.load(e, register);
    e.ifTrue = false;
    e.ifFalse = false;
  }

  toNext(e: Operand): void {
    this.discharge(e);
    this.releaseOperand(e);
    this.reserve(1);
    this.toRegister(e, this.free - 1);
  }

  toAny(e: Operand): number {
    this.discharge(e);
    if (e.kind === FIXED) {
      if (!e.ifTrue && !e.ifFalse) return e.place;
      if (e.place >= this.locals) {
        this.toRegister(e, e.place);
        return e.place;
      }
    }
    this.toNext(e);
    return e.place;
  }

  toValue(e: Operand): void {
    if (e.ifTrue || e.ifFalse) this.toAny(e);
    else this.discharge(e);
  }

  /** As the operand of an instruction: a register, or a constant while there are few. */
  toOperand(e: Operand): number {
    this.toValue(e);
    switch (e.kind) {
      case NUMBER:
      case TRUE:
      case FALSE:
      case NIL:
        if (this.constants.size <= MAX_OPERAND_CONSTANT) {
          e.place = this.constant(e.kind === NIL ? null : e.kind === NUMBER ? e.value : e.kind === TRUE);
          e.kind = CONSTANT;
          return CONSTANT_OPERAND + e.place;
        }
        break;
      case CONSTANT:
        if (e.place <= MAX_OPERAND_CONSTANT) return CONSTANT_OPERAND + e.place;
        break;
    }
    return this.toAny(e);
  }

  /** Assigns to a variable. */
  store(target: Operand, e: Operand): void {
    switch (target.kind) {
      case LOCAL:
        this.releaseOperand(e);
        this.toRegister(e, target.place);
        return;
      case INDEXED:
        this.toOperand(e);
        break;
      default:
        this.toAny(e);
    }
    this.releaseOperand(e);
  }

  /** `object:name`: the function and its first argument. */
  self(e: Operand, name: string): void {
    const key = this.constant(name);
    this.toAny(e);
    this.releaseOperand(e);
    const place = this.free;
    this.reserve(2);
    if (key > MAX_OPERAND_CONSTANT) {
      this.reserve(1);
      this.free--;
    }
    e.set(FIXED, place);
  }

  /** `table[key]`. */
  index(table: Operand, key: Operand): void {
    table.key = this.toOperand(key);
    table.kind = INDEXED;
  }

  /** Gives `targets` variables the values of `count` expressions, of which `last` is the last one. */
  adjust(targets: number, count: number, last: Operand): void {
    let missing = targets - count;
    if (last.hasMany()) {
      missing = Math.max(missing + 1, 0);
      this.several(last);
      if (missing > 1) this.reserve(missing - 1);
    } else {
      if (last.kind !== VOID) this.toNext(last);
      if (missing > 0) this.reserve(missing);
    }
  }

  private jumpOn(e: Operand): void {
    // `not x` is tested by testing x.
    if (e.kind === RELOCATABLE && e.place === OP_NOT) return;
    this.loadNext(e);
    this.releaseOperand(e);
  }

  /** Goes on if it is true: the left side of `and`, a condition. */
  goIfTrue(e: Operand): void {
    this.discharge(e);
    if (e.kind !== CONSTANT && e.kind !== NUMBER && e.kind !== TRUE) {
      if (e.kind !== JUMP) this.jumpOn(e);
      e.ifFalse = true;
    }
    e.ifTrue = false;
  }

  /** Goes on if it is false: the left side of `or`. */
  goIfFalse(e: Operand): void {
    this.discharge(e);
    if (e.kind !== NIL && e.kind !== FALSE) {
      if (e.kind !== JUMP) this.jumpOn(e);
      e.ifTrue = true;
    }
    e.ifFalse = false;
  }

  not(e: Operand): void {
    this.discharge(e);
    if (e.kind === NIL || e.kind === FALSE) {
      e.kind = TRUE;
    } else if (e.kind === CONSTANT || e.kind === NUMBER || e.kind === TRUE) {
      e.kind = FALSE;
    } else if (e.kind !== JUMP) {
      this.loadNext(e);
      this.releaseOperand(e);
      e.kind = RELOCATABLE;
      e.place = OP_NOT;
    }
    const swapped = e.ifTrue;
    e.ifTrue = e.ifFalse;
    e.ifFalse = swapped;
  }

  negate(e: Operand): void {
    if (e.isNumeral()) {
      e.value = -e.value;
      return;
    }
    this.length(e);
  }

  length(e: Operand): void {
    this.toAny(e);
    this.releaseOperand(e);
    e.set(RELOCATABLE, ANY);
  }

  /** Left operand of an arithmetic operator, before the right one is read. */
  beforeArithmetic(left: Operand): void {
    if (!left.isNumeral()) this.toOperand(left);
  }

  /** `folded` is the value if both are numerals (NaN is none). */
  arithmetic(left: Operand, right: Operand, folded: number): void {
    if (!Number.isNaN(folded)) {
      left.value = folded;
      return;
    }
    this.toOperand(right);
    this.toOperand(left);
    this.releaseOperand(left);
    this.releaseOperand(right);
    left.set(RELOCATABLE, ANY);
  }

  compare(left: Operand, right: Operand): void {
    this.toOperand(left);
    this.toOperand(right);
    this.releaseOperand(right);
    this.releaseOperand(left);
    left.kind = JUMP;
  }

  /** Answers whether the right operand's own concatenation takes the left one in: `a .. b .. c` is one instruction. */
  concat(left: Operand, right: Operand): boolean {
    this.toValue(right);
    const merged = right.kind === RELOCATABLE && right.place === OP_CONCAT;
    if (!merged) {
      this.toNext(right);
      this.releaseOperand(right);
    }
    this.releaseOperand(left);
    left.set(RELOCATABLE, OP_CONCAT);
    return merged;
  }

  /** The operand after `and` or `or`, whose jumps join those of the left one. */
  join(left: Operand, right: Operand): void {
    this.discharge(right);
    const { ifTrue, ifFalse } = left;
    left.become(right);
    left.ifTrue ||= ifTrue;
    left.ifFalse ||= ifFalse;
  }
}
