/**
 * A system that is only pretended, for those that cannot be had here: its own commands are stubs on a PATH of their own
 * that write down what they were called with, its files lie below a directory. What bootstrap.sh does as the worker (its
 * directories, links, keys) is real, in a home of the pretended account.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Done, SCRIPT } from './machine.ts';

/** What bootstrap.sh may use of this machine. Everything else it calls must be a stub, or it is not found. */
const REAL =
  'awk bash cat chmod cmp cut dirname env find getconf grep head ln ls mkdir mktemp mv printf ps readlink rm sed sleep ssh-keygen stat tail tar tee touch tr true wc'.split(
    ' ',
  );

export class Pretended {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'dispatch-pretended-')));
  readonly home = join(this.dir, 'home');
  readonly #log = join(this.dir, 'log');

  constructor(stubs: Readonly<Record<string, string>>, files: Readonly<Record<string, string>>) {
    onTestFinished(() => rmSync(this.dir, { recursive: true, force: true }));
    for (const dir of ['bin', 'real', 'system', 'state', 'home']) mkdirSync(join(this.dir, dir));
    for (const name of REAL) {
      const found = ['/usr/bin', '/bin', '/usr/sbin']
        .map((dir) => join(dir, name))
        .find((file) => existsSync(file));
      if (found === undefined) throw new Error(`no ${name} here`);
      symlinkSync(found, join(this.dir, 'real', name));
    }
    for (const [name, script] of Object.entries(stubs)) this.#stub(name, script);
    for (const [path, text] of Object.entries(files)) this.write(join('system', path), text);
  }

  write(path: string, text: string): string {
    const file = join(this.dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  bootstrap(...args: string[]): Done {
    const { status, stdout, stderr } = spawnSync(join(this.dir, 'real/bash'), [SCRIPT, ...args], {
      env: {
        PATH: `${this.dir}/bin:${this.dir}/real`,
        HOME: this.home,
        DISPATCH_BOOTSTRAP_SYSTEM: join(this.dir, 'system'),
        TMPDIR: join(this.dir, 'state'),
      },
      encoding: 'utf8',
      timeout: 170_000,
    });
    return { code: status, stdout, stderr };
  }

  /** A file of the pretended system. */
  file(path: string): string {
    return readFileSync(join(this.dir, 'system', path), 'utf8');
  }

  /** Every call of a stub so far: name and arguments. */
  calls(): string[] {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8').trimEnd().split('\n') : [];
  }

  /** @param script sees $state, a directory for marks, and $system. */
  #stub(name: string, script: string): void {
    const text = `#!${this.dir}/real/bash
state=${this.dir}/state system=${this.dir}/system home=${this.home}
printf '%s\\n' "${name} \${*//$'\\n'/ }" >>${this.#log}
${script}
`;
    writeFileSync(join(this.dir, 'bin', name), text, { mode: 0o755 });
  }
}

/** Programs that the worker's part needs, in versions that are new enough. */
const PROGRAMS = {
  node: 'echo v24.21.0',
  npm: 'echo 11.21.2',
  git: 'echo git version 2.43.0',
  python3: 'echo Python 3.12.3',
};

/** Ubuntu 24.04 as root: AppArmor keeps bubblewrap from working until its profile is loaded; systemd runs. */
export function ubuntu(): Pretended {
  const files = {
    'etc/os-release': 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04.3 LTS"\n',
    'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
    'etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config.d/*.conf\n',
    'etc/needrestart/conf.d/README': '',
    'proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n',
    'run/systemd/system/README': '',
  };
  return new Pretended(
    {
      ...PROGRAMS,
      uname: '[ "$1" = -s ] && echo Linux; [ "$1" = -m ] && echo x86_64; [ "$1" = -n ] && echo box; true',
      id: 'case $1 in -un) echo root ;; -u) grep -q "^$2:" $system/etc/passwd && echo 1000 ;; -nG) echo dispatch ;; esac',
      'dpkg-query': 'grep -qsx "${!#}" $state/packages && printf installed',
      'apt-get':
        'for word; do case $word in *=* | -* | install | update) ;; *) echo "$word" >>$state/packages ;; esac; done',
      useradd: 'echo "${!#}:x:1000:1000::$home:/bin/bash" >>$system/etc/passwd',
      runuser: 'shift 3; exec "$@"',
      loginctl: 'mkdir -p $system/var/lib/systemd/linger && touch $system/var/lib/systemd/linger/"$2"',
      systemctl:
        'case $1 in enable) touch $state/enabled ;; disable) rm $state/enabled ;; is-enabled | is-active) test -e $state/enabled ;; esac',
      bwrap: '[ "$1" = --version ] && echo bubblewrap 0.9.0 && exit; test -e $state/profile',
      apparmor_parser: 'case $1 in -r) touch $state/profile ;; -R) rm $state/profile ;; esac',
      sshd: 'true',
      tmux: '[ "$1" = -V ] && echo tmux 3.4 && exit; exit 1',
      curl: 'exit 6',
      hostname: 'echo 10.0.0.5',
    },
    files,
  );
}

/** macOS on Apple silicon, as the account `dev` that may sudo. */
export function macos(): Pretended {
  return new Pretended(
    {
      ...PROGRAMS,
      uname:
        '[ "$1" = -s ] && echo Darwin; [ "$1" = -m ] && echo arm64; [ "$1" = -n ] && echo mac2.local; true',
      id: 'case $1 in -un) echo dev ;; -u) echo 501 ;; esac',
      sw_vers: 'echo 15.1',
      sysctl: '[ "$2" = hw.ncpu ] && echo 10 || echo 34359738368',
      sudo: 'while :; do case $1 in -n | --) shift ;; -u) shift 2 ;; *) break ;; esac; done; exec "$@"',
      brew: `case $1 in
list) grep -qsx "$3" $state/formulas ;;
install) shift; printf '%s\\n' "$@" >>$state/formulas ;;
--prefix) [ $# = 1 ] && echo $state/brew || { mkdir -p $state/brew/$2/bin; cp $state/../bin/node $state/../bin/npm $state/brew/$2/bin/; echo $state/brew/$2; } ;;
esac`,
      cp: 'exec /bin/cp "$@"',
      launchctl:
        'case $1 in print) test -e $state/loaded ;; bootstrap) touch $state/loaded ;; bootout) rm $state/loaded ;; esac',
      tmux: '[ "$1" = -V ] && echo tmux 3.5a && exit; exit 1',
    },
    {},
  );
}
