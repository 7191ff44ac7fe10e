// INFO fields that only the process and its transport know; Engine gets them as its option `surroundings`.
import { arch, release, totalmem, type } from 'node:os';

type Field = [name: string, value: string | number];

export interface Transport {
  readonly tcpPort: number;
  /** Path of redis.conf, empty without one. */
  readonly configFile: string;
  readonly version: string;
}

/** @param transport asked at each INFO: the port is known only once the server listens. */
export function processSurroundings(transport: () => Transport): (section: string) => readonly Field[] {
  let peak = 0;
  const sections: Readonly<Record<string, () => readonly Field[]>> = {
    Server: () => {
      const { tcpPort, configFile, version } = transport();
      return [
        ['holdfast_version', version],
        ['os', `${type()} ${release()} ${arch()}`],
        ['arch_bits', arch().includes('64') || arch() === 's390x' ? 64 : 32],
        ['process_id', process.pid],
        ['tcp_port', tcpPort],
        ['executable', process.argv[1] ?? process.execPath],
        ['config_file', configFile],
      ];
    },
    Memory: () => {
      const { rss, heapUsed, external } = process.memoryUsage();
      const used = heapUsed + external;
      peak = Math.max(peak, used);
      return [
        ['used_memory', used],
        ['used_memory_human', human(used)],
        ['used_memory_rss', rss],
        ['used_memory_rss_human', human(rss)],
        ['used_memory_peak', peak],
        ['used_memory_peak_human', human(peak)],
        ['total_system_memory', totalmem()],
        ['total_system_memory_human', human(totalmem())],
        ['maxmemory', 0],
        ['maxmemory_human', human(0)],
        ['mem_fragmentation_ratio', (rss / used).toFixed(2)],
      ];
    },
    CPU: () => {
      const { user, system } = process.cpuUsage();
      return [
        ['used_cpu_sys', (system / 1e6).toFixed(6)],
        ['used_cpu_user', (user / 1e6).toFixed(6)],
      ];
    },
  };
  return (section) => sections[section]?.() ?? [];
}

/** Bytes as Redis shows them to people: `1.50M`. */
function human(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  let value = bytes;
  let unit = '';
  for (unit of 'KMGTP') {
    value /= 1024;
    if (value < 1024) break;
  }
  return `${value.toFixed(2)}${unit}`;
}
