// The part of redlock that the bench uses: its package hides its own types from Node's resolution.
declare module 'redlock' {
  export default class Redlock {
    constructor(clients: readonly unknown[], settings: { readonly retryCount: number });
    acquire(resources: readonly string[], duration: number): Promise<{ release(): Promise<unknown> }>;
  }
}
