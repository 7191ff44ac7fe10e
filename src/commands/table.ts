// The command table: every family's rows under their names, with the derived facts that dispatch needs at
// hand. COMMAND reads it; nobody else lists commands.
import { Bit, flagBits } from './derive.ts';
import type { Command, CommandRow, ControlHandler, DataHandler } from './spec.ts';

export class TableEntry {
  /** Lower case, `config|get` for a subcommand. */
  readonly name: string;
  readonly row: CommandRow;
  readonly arity: number;
  /** Bits of derive.ts. */
  readonly bits: number;
  readonly run: DataHandler | null;
  readonly control: ControlHandler | null;
  readonly subcommands: ReadonlyMap<string, TableEntry> | null;
  /** Runtime counters, for INFO commandstats. */
  calls = 0;
  rejected = 0;
  failed = 0;

  constructor(name: string, row: CommandRow) {
    this.name = name;
    this.row = row;
    this.arity = row.arity;
    this.bits = flagBits(row);
    this.run = row.run ?? null;
    this.control = row.control ?? null;
    this.subcommands =
      row.subcommands === undefined
        ? null
        : new Map(
            Object.entries(row.subcommands).map(([key, sub]) => {
              const subName = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
              return [subName, new TableEntry(`${name}|${subName}`, sub)];
            }),
          );
  }

  get writes(): boolean {
    return (this.bits & Bit.write) !== 0;
  }
}

export class CommandTable {
  private readonly entries = new Map<string, TableEntry>();
  // Names exactly as clients have sent them (`GET`, `Get`), so that the common spelling needs no lower-casing.
  private readonly spelled = new Map<string, TableEntry>();

  constructor(families: readonly Readonly<Record<string, Command<never, unknown>>>[]) {
    for (const family of families) {
      for (const [key, row] of Object.entries(family)) {
        const name = commandName(key);
        if (this.entries.has(name)) throw new Error(`command ${name} is declared twice`);
        this.entries.set(name, new TableEntry(name, row));
      }
    }
  }

  /** The entry of a name in any case, without its subcommand. */
  find(name: string): TableEntry | undefined {
    const known = this.spelled.get(name);
    if (known !== undefined) return known;
    const entry = this.entries.get(name.toLowerCase());
    if (entry !== undefined && this.spelled.size < 4096) this.spelled.set(name, entry);
    return entry;
  }

  /** The entry of a name such as `config|get`, for COMMAND INFO. */
  findFull(name: string): TableEntry | undefined {
    const [container, sub] = name.toLowerCase().split('|', 2);
    const entry = this.entries.get(container);
    return sub === undefined ? entry : entry?.subcommands?.get(sub);
  }

  all(): IterableIterator<TableEntry> {
    return this.entries.values();
  }

  get size(): number {
    return this.entries.size;
  }
}

/** Wire name of a property: `bitfieldRo` is `bitfield_ro`. */
function commandName(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
