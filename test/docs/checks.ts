// What `// →` and `// ✗` in a page's code become.
import { expect } from 'vitest';

export function __same(got: unknown, promised: unknown): void {
  expect(got).toEqual(promised);
}

export async function __fails(work: () => unknown, code: string): Promise<void> {
  const error = await Promise.resolve()
    .then(work)
    .then(
      () => null,
      (reason: { code?: string }) => reason,
    );
  expect(error?.code).toBe(code);
}
