import type { Fed } from '../feed/feed.ts';
import type { Note } from './note.ts';

/** What a turn of feeding has to say to whoever reads the log. */
export function fedNotes({ project, moved, held }: Fed): Note[] {
  return [
    ...moved.map(({ id }): Note => {
      return {
        about: 'spec',
        name: `${project}/${id}`,
        code: null,
        message: 'fed: it is in the queue',
        fix: null,
      };
    }),
    ...held
      .filter(({ news }) => news)
      .map(({ file, problems }): Note => {
        const first = problems.find(({ severity }) => severity === 'error') ?? problems[0];
        const place = first === undefined ? '' : `${first.line}:${first.col}: ${first.message}`;
        const message = `stays in pending/: ${place}`;
        return { about: 'spec', name: file, code: first?.code ?? null, message, fix: `see ${file}.problems` };
      }),
  ];
}
