// What a bench hands back and how it is printed: aligned text, Markdown or JSON. And the statistics in use.
import { cpus } from 'node:os';

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Report {
  readonly bench: string;
  readonly tables: readonly Table[];
  /** How it was measured, one sentence each. */
  readonly notes: readonly string[];
  /** Every measurement, for --json. */
  readonly data: unknown;
}

export function print(report: Report, format: 'text' | 'markdown' | 'json'): void {
  const machine = {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cpu: `${cpus()[0]?.model ?? 'unknown CPU'} × ${cpus().length}`,
  };
  if (format === 'json') {
    console.log(
      JSON.stringify({ bench: report.bench, ...machine, notes: report.notes, data: report.data }, null, 2),
    );
    return;
  }
  console.log(`${report.bench}, ${machine.date}, Node ${machine.node}, ${machine.cpu}`);
  for (const table of report.tables) {
    console.log(`\n${format === 'markdown' ? `### ${table.title}\n` : table.title}`);
    console.log(format === 'markdown' ? asMarkdown(table) : asText(table));
  }
  console.log();
  for (const note of report.notes) console.log(format === 'markdown' ? `- ${note}` : note);
}

function asText({ columns, rows }: Table): string {
  const widths = columns.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i].length)));
  const pad = (cell: string, i: number): string =>
    i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]);
  return [columns, ...rows].map((row) => row.map(pad).join('  ')).join('\n');
}

function asMarkdown({ columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join(
    '\n',
  );
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** `median (min..max)` of values as `format` prints them. */
export function spread(values: readonly number[], format: (value: number) => string): string {
  return `${format(median(values))} (${format(Math.min(...values))}..${format(Math.max(...values))})`;
}

/** 1234567 as `1.23 M`, 123456 as `123 k`. */
export function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  return value >= 1e4 ? `${(value / 1e3).toFixed(0)} k` : value.toFixed(0);
}

export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
