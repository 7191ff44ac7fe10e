// Layouts: which string keys the node part of a table has, in the order in which they came in. Tables that were
// filled alike share a layout, and what depends on the keys alone is worked out once: Lua's order (order.ts), and
// how JSON spells the keys. cjson-decode.ts and lib-cmsgpack.ts read records along the layouts of those before.
import { nodeOrder, nodesAfter } from './order.ts';

/** Tables with more keys have no layout. */
export const MOST_KEYS = 64;
const LONGEST_KEY = 256;
/** How many layouts may follow another one, and how many the empty one. Where keys are data (ids), these are
 *  soon used up, and such tables have no layout. */
const MOST_FOLLOWERS = 16;
const MOST_BEGINNINGS = 256;
/** After so many layouts, or tables without one, all begin anew: the known ones may be out of use. */
const MOST_LAYOUTS = 8192;
const MOST_REFUSALS = 8192;

/** A key as it stands in JSON, with its quotes and the colon. */
export interface JsonKey {
  readonly size: number;
  /** Its bytes, four at a time; the last four overlap where the size is no multiple of four. */
  readonly words: Int32Array;
}

export class Layout {
  readonly parent: Layout | null;
  /** The key that this layout has beyond its parent's. */
  readonly key: string;
  readonly count: number;
  /** Place of the key's value among those of a record: that of the key among the keys. */
  readonly slot: number;
  /** The layout that followed this one most recently: the likely next. */
  likely: Layout | null = null;
  /** Layout of the first key of the object that JSON last had as this key's value. */
  inner: Layout | null = null;
  /** How JSON spells the key, once cjson-encode.ts has worked it out. */
  json: JsonKey | null = null;
  private followers: Map<string, Layout> | null = null;
  private readonly walks: Walk[] = [];
  private slots: Map<string, number> | null = null;

  constructor(parent: Layout | null, key: string) {
    this.parent = parent;
    this.key = key;
    this.slot = parent === null ? -1 : parent.count;
    this.count = this.slot + 1;
  }

  /** The layout with one more key; null where there is none (the key is there already, or too many keys). */
  follow(key: string): Layout | null {
    const { likely } = this;
    if (likely !== null && likely.key === key) return likely;
    const layout = this.followers?.get(key) ?? this.branch(key);
    if (layout !== null) this.likely = layout;
    return layout;
  }

  private branch(key: string): Layout | null {
    // JSON's spelling of it is too short for words.
    if (key === '') return null;
    const most = this.parent === null ? MOST_BEGINNINGS : MOST_FOLLOWERS;
    this.followers ??= new Map();
    if (this.count >= MOST_KEYS || this.followers.size >= most || key.length > LONGEST_KEY) {
      if (++refusals > MOST_REFUSALS) beginAnew();
      return null;
    }
    for (let at: Layout = this; at.parent !== null; at = at.parent) if (at.key === key) return null;
    // A copy: the key may be a slice of a large text, which must not live on with it.
    const own = String.fromCharCode(...Array.from(key, (char) => char.charCodeAt(0)));
    const layout = new Layout(this, own);
    this.followers.set(own, layout);
    if (++made > MOST_LAYOUTS) beginAnew();
    return layout;
  }

  /** The slot of a key, or -1. */
  slotOf(key: string): number {
    this.slots ??= new Map(this.keys().map((name, slot) => [name, slot]));
    return this.slots.get(key) ?? -1;
  }

  /** The keys, in the order in which they came. */
  keys(): string[] {
    return this.path().map((at) => at.key);
  }

  /** The layouts from that of the first key to this one: by slot. */
  private path(): Layout[] {
    const path = new Array<Layout>(this.count);
    for (let at: Layout = this; at.parent !== null; at = at.parent) path[at.slot] = at;
    return path;
  }

  /** How Lua walks a table with these keys, which began with so many nodes: the layouts whose last key is next. */
  walk(initial: number): readonly Layout[] {
    const { walks } = this;
    for (let i = 0; i < walks.length; i++) if (walks[i].initial === initial) return walks[i].steps;
    const path = this.path();
    const keys = path.map((at) => at.key);
    const order = nodeOrder(keys, initial, nodesAfter(initial, keys.length));
    const steps = order.map((key) => path[keys.indexOf(key as string)]);
    walks.push({ initial, steps });
    return steps;
  }
}

interface Walk {
  readonly initial: number;
  readonly steps: readonly Layout[];
}

let made = 0;
let refusals = 0;
let empty = new Layout(null, '');

/** The layout without keys: where all begin. */
export function emptyLayout(): Layout {
  return empty;
}

function beginAnew(): void {
  made = 0;
  refusals = 0;
  empty = new Layout(null, '');
}
