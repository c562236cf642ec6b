import type { Command } from 'commander';
import type { BackupOptions } from '../verbs/backup.ts';
import type { RescueOptions } from '../verbs/rescue.ts';
import type { RestoreOptions } from '../verbs/restore.ts';
import { type Act, GROUPS, verb } from './act.ts';

export function declareRecover(program: Command, act: Act): void {
  verb(program, 'backup', {
    summary: 'copy the state, what you wrote and what has not been delivered into one file',
    group: GROUPS.recover,
    examples: [
      ['dispatch backup', 'into .dispatch/backups of the home'],
      ['dispatch backup --to /mnt/usb/fleet.tar.gz', 'onto another disk'],
      ['dispatch backup --list', 'those there are'],
    ],
    more: [
      'Works beside a running controller, which does not notice. The file is unpacked again, compared and its event log replayed before it has its name. It holds the store, nodes.json, executors.yaml, dispatch.yaml, alerts.yaml, specs/, and of each hub what its target branch does not contain; no keys and no logs.',
      '`dispatch serve` makes one a day, and any controller makes one before it upgrades the store. Seven daily and four weekly ones are kept; those that you ask for stay until you remove them.',
    ].join('\n\n'),
  })
    .option('--to <file>', 'write it there')
    .option('--list', 'list the backups of this home')
    .option('--daily', 'the round that serve makes: is pruned like the others')
    .action(
      act(async (context, options: BackupOptions) => {
        const { backup } = await import('../verbs/backup.ts');
        return backup(context, options);
      }),
    );

  verb(program, 'restore [backup]', {
    summary: 'put a backup back, while no controller runs',
    group: GROUPS.recover,
    examples: [
      ['dispatch restore 20261120T020000Z-daily.tar.gz', 'one of this home (dispatch backup --list)'],
      ['dispatch restore /mnt/usb/fleet.tar.gz --files', 'with nodes.json and specs/ as they were'],
      ['dispatch restore --from-hubs', 'without a backup: from specs/ and what has landed'],
    ],
    more: [
      'The backup is checked whole first; the state of before is kept aside. What has landed since is read from the hub and recorded, so that nothing merges twice; attempts that run go on and are taken up by the next controller; attempts that the old state does not know stay on their nodes, and `dispatch rescue` shows them.',
      '`--from-hubs` is for a store that is lost, damaged or of an unreleased dispatch: a new one knows the specs and what has landed; the rest of the tasks run again, and what was under way is left to `dispatch rescue`.',
      'Exit 3: something landed that could not be recorded; it is named.',
    ].join('\n\n'),
  })
    .option('--from-hubs', 'without a backup: make a new store of specs/ and the history of the hubs')
    .option('--files', 'put nodes.json, specs/ and the like back too, not only those that are missing')
    .action(
      act(async (context, backup: string | undefined, options: RestoreOptions) => {
        const { restore } = await import('../verbs/restore.ts');
        return restore(context, backup, options);
      }),
    );

  verb(program, 'rescue [what]', {
    summary: 'list all work that has not merged, wherever it is, and bring any of it back',
    group: GROUPS.recover,
    examples: [
      ['dispatch rescue web', 'branches in the hub; results and files on nodes, their trash too'],
      ['dispatch rescue 3f9a2c --as rescued/S03', 'as a new branch of your repository'],
      ['dispatch rescue refs/cand/3f9a2c…  --as look', 'anything that the hub has a name for'],
    ],
    more: 'Looks at the hubs and asks every node of nodes.json; nothing is changed by looking. What is only files becomes a commit when it is brought back. Exit 7 when a node could not be asked.',
  })
    .option('--as <branch>', 'bring it back as this branch, which must be new')
    .action(
      act(async (context, what: string | undefined, options: RescueOptions) => {
        const { rescue } = await import('../verbs/rescue.ts');
        return rescue(context, what, options);
      }),
    );
}
