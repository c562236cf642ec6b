import { type CodeEntry, EXIT } from '../exit.ts';

/** Codes raised by the store room. */
export const STORE_CODES = {
  E_CONTROLLER_RUNNING: {
    title: 'another controller runs this home',
    exit: EXIT.conflict,
    explain:
      'One controller at a time writes to a home; the message names the one that does. Most verbs (status, logs, report, why) work beside it. To replace it, stop it first: agents go on and the next controller adopts them. A controller that was killed holds nothing: the lock counts only while the very process that took it lives.',
  },
  E_FENCED: {
    title: 'a newer controller has taken over',
    exit: EXIT.conflict,
    explain:
      'Every write carries the epoch of the controller that makes it, and the store refuses all but the newest. This controller was replaced, or gave its lease back, and nothing it tried afterwards was written. Stop it; the newer one has the work.',
  },
  E_NO_SPACE: {
    title: 'no space left for the home',
    exit: EXIT.internal,
    explain:
      'The disk of the home is full (or a quota is used up). The change was rolled back as a whole and nothing recorded before is lost. Free some space; a running controller resumes by itself.',
  },
  E_STORE_IO: {
    title: 'the store could not be read or written',
    exit: EXIT.internal,
    explain:
      'The operating system reported an error on the file that holds the state of the home. The change was rolled back as a whole. Look at the system log for failures of the disk.',
  },
  E_HOME_IO: {
    title: 'a file of the home could not be read or written',
    exit: EXIT.internal,
    explain:
      'The operating system reported an error on a file below .dispatch/ that is not the store: a hub, a bundle, the socket. Nothing is half done: the same command goes on where this one ended. Look at the system log for failures of the disk.',
  },
  E_STORE_BUSY: {
    title: 'the store is locked by another process',
    exit: EXIT.conflict,
    explain:
      'Another process held the write lock of the store for longer than a writer waits. Only one controller writes, for milliseconds: look for a program that has the file open (a database browser, a backup tool) and close it. A controller that was stopped (Ctrl-Z, SIGSTOP) in the middle of a write holds the lock as well: wake it (kill -CONT) or end it (kill -KILL); what it had not finished is rolled back and nothing is lost.',
  },
  E_STORE_ACCESS: {
    title: 'the store may not be opened or written',
    exit: EXIT.auth,
    explain:
      'The file, or the directory it is in, does not permit what is needed. The store needs a directory that it can write to, because SQLite keeps two more files beside the database.',
  },
  E_STORE_DAMAGED: {
    title: 'the store is damaged or is not a store',
    exit: EXIT.internal,
    explain:
      'The file is no SQLite database, belongs to another program, or holds a row that cannot be what dispatch wrote. Nothing was changed. `dispatch replay --check` names what differs from the log of events. Keep the file: the log in it may still be whole.',
  },
  E_STORE_VERSION: {
    title: 'the store was written by another version of dispatch',
    exit: EXIT.conflict,
    explain:
      'The schema of the store carries a number. A newer one is never opened by an older program, because it would read it wrongly; use the version that wrote it. An older one is upgraded when a controller of this version starts, and not by verbs that only read.',
  },
  E_STORE_FORM: {
    title: 'the store has other tables than its number stands for',
    exit: EXIT.conflict,
    explain:
      'Each release of dispatch gives the schema of its store one number. A store that was made by a checkout between two releases may carry the number and have other tables; it would fail in the middle of something, so it is not opened, and nothing in it was changed. `dispatch rescue` works without it: it lists the branches in hubs and the work on nodes. The dispatch that made the store can still use it, and make a backup of its log; a backup that this program made can be put back; and `dispatch restore --from-hubs` makes a new store of specs/ and of what the hubs say has landed, and keeps the old one aside.',
  },
  E_NO_STORE: {
    title: 'nothing has been started in this home yet',
    exit: EXIT.notFound,
    explain:
      'The store is made when the first controller starts. Until then there is no state to show. `dispatch start <project>` makes it.',
  },
  E_BACKUP_BAD: {
    title: 'the backup cannot be used',
    exit: EXIT.usage,
    explain:
      'A backup is read from end to end before anything is changed: every file against its hash, the store by SQLite and by a replay of its log, each bundle by git. This one failed; the reason says where. Nothing was changed. `dispatch backup --list` names the others.',
  },
  E_BACKUP_FAILED: {
    title: 'no backup could be made',
    exit: EXIT.internal,
    explain:
      'The backup could not be written, or what was written could not be read again. What was there before is untouched, and no older backup was removed. Usually the disk is full; `--to` writes to another one. An upgrade of the store that cannot be backed up first does not happen.',
  },
  E_SQLITE_MISSING: {
    title: 'the SQLite library is not built for this Node.js',
    exit: EXIT.notFound,
    explain:
      'dispatch keeps its state in SQLite through better-sqlite3, which is compiled when it is installed. npm 12 (and 11 when told so) does not run install scripts of dependencies unless they are allowed, and after a change of Node.js the library has to be built again. The printed command builds it; it needs make, a C++ compiler and python3 (apt install build-essential python3, or xcode-select --install). A global installation that builds it at once: npm i -g --allow-scripts=better-sqlite3 dispatch.',
  },
  E_SQLITE_VERSION: {
    title: 'the SQLite library has a known corruption bug',
    exit: EXIT.internal,
    explain:
      'SQLite 3.7.0 to 3.51.2 can, rarely, corrupt a database in WAL mode when the log is reset. dispatch refuses to write with such a library. Reinstall the pinned better-sqlite3, which carries a newer one: `npm ci`.',
  },
  E_NETWORK_FS: {
    title: 'the home is on a network file system',
    exit: EXIT.usage,
    explain:
      'SQLite in WAL mode needs memory shared between processes and locks that work; network file systems give neither, and the store would be corrupted. Put the home on a local disk.',
  },
} as const satisfies Record<`E_${string}`, CodeEntry>;
