// Colour for what the program prints, where somebody looks at it. Called by lint.ts and review.ts.
import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

/** Colour is for eyes: neither a file nor another program wants it. */
export function styled(style: Style, text: string): string {
  return process.stdout.isTTY && process.env.NO_COLOR === undefined ? styleText(style, text) : text;
}
