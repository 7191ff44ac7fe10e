// All families of commands: the one list from which table, typed methods and docs are made.
import { strings } from './strings.ts';
import { transactions } from './transactions.ts';

export const families = [strings, transactions] as const;
