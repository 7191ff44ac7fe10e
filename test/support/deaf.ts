// An outlet for sessions whose late and unasked messages nobody wants. Called by tests that drive the engine directly.
import type { Outlet } from '../../src/engine/session.ts';

export const deaf: Outlet = {
  reply: () => {},
  push: () => {},
  close: () => {},
  info: {
    address: 'test:0',
    localAddress: 'test:0',
    fd: -1,
    local: true,
    trusted: true,
    queryBuffer: () => 0,
    outputBuffer: () => 0,
  },
};
