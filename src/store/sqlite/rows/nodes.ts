import type { NodeState } from '../../../model/state.ts';
import type { Db } from '../database.ts';

interface NodeRow {
  readonly name: string;
  readonly boot_id: string | null;
  readonly journal: string | null;
  readonly cursor: number;
  readonly mark: string;
  readonly program: string | null;
  readonly programs: string;
}

/** A statement that writes a node's row, new or known. */
export function putNode(db: Db): (node: NodeState) => void {
  const statement = db.prepare<[NodeRow]>(`
    INSERT INTO nodes (name, boot_id, journal, cursor, mark, program, programs)
    VALUES (@name, @boot_id, @journal, @cursor, @mark, @program, @programs)
    ON CONFLICT (name) DO UPDATE SET boot_id = @boot_id, journal = @journal, cursor = @cursor,
      mark = @mark, program = @program, programs = @programs`);
  return ({ name, bootId, journal, cursor, mark, program, programs }) => {
    const row = { name, boot_id: bootId, journal, cursor, mark, program };
    statement.run({ ...row, programs: JSON.stringify(programs) });
  };
}

/** All nodes in order of arrival. */
export function allNodes(db: Db): NodeState[] {
  const select = db.prepare<[], NodeRow>(
    'SELECT name, boot_id, journal, cursor, mark, program, programs FROM nodes ORDER BY ord',
  );
  return select.all().map((row) => ({
    name: row.name as NodeState['name'],
    bootId: row.boot_id,
    journal: row.journal,
    cursor: row.cursor,
    mark: row.mark as NodeState['mark'],
    program: row.program,
    programs: JSON.parse(row.programs) as NodeState['programs'],
  }));
}
