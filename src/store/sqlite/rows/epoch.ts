import type { Db } from '../database.ts';

/** A statement that writes the epoch of the newest controller that the events know. */
export function putEpoch(db: Db): (epoch: number) => void {
  const statement = db.prepare<[number]>('UPDATE meta SET epoch = ? WHERE id = 1');
  return (epoch) => {
    statement.run(epoch);
  };
}

/** A statement that reads the epoch of the newest controller that the events know; 0 before the first. */
export function storedEpoch(db: Db): () => number {
  const select = db.prepare<[], number>('SELECT epoch FROM meta WHERE id = 1').pluck();
  return () => select.get() ?? 0;
}
