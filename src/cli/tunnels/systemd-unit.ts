import type { Service } from './service.ts';

/**
 * The unit of the user's systemd.
 *
 * - Agents of the local node, and their tmux, are children of the controller: `KillMode=process` and `OOMPolicy=continue`
 *   let them live when it is stopped, and when the kernel ends one of them.
 * - It never gives up: `Restart=always` without a start limit, ten seconds apart. A stop by SIGTERM exits 0.
 */
export function systemdUnit({ home, command, variables }: Service): string {
  const environment = Object.entries(variables).map(
    ([name, value]) => `Environment=${quoted(`${name}=${value}`)}`,
  );
  return `[Unit]
Description=dispatch serve for ${percent(home)}
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${command.map((word) => quoted(word).replaceAll('$', '$$$$')).join(' ')}
WorkingDirectory=${percent(home)}
${environment.join('\n')}
Restart=always
RestartSec=10
KillMode=process
OOMPolicy=continue
TimeoutStopSec=30

[Install]
WantedBy=default.target
`;
}

function quoted(text: string): string {
  return `"${percent(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** systemd puts something else in the place of `%x`. */
function percent(text: string): string {
  return text.replaceAll('%', '%%');
}
