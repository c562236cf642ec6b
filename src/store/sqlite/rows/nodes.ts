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
  readonly silence: string | null;
  readonly health: string;
}

/** A statement that writes a node's row, new or known. */
export function putNode(db: Db): (node: NodeState) => void {
  const statement = db.prepare<[NodeRow]>(`
    INSERT INTO nodes (name, boot_id, journal, cursor, mark, program, programs, silence, health)
    VALUES (@name, @boot_id, @journal, @cursor, @mark, @program, @programs, @silence, @health)
    ON CONFLICT (name) DO UPDATE SET boot_id = @boot_id, journal = @journal, cursor = @cursor,
      mark = @mark, program = @program, programs = @programs, silence = @silence, health = @health`);
  return ({ name, bootId, journal, cursor, mark, program, programs, silence, health }) => {
    const row = { name, boot_id: bootId, journal, cursor, mark, program };
    const json = {
      programs: JSON.stringify(programs),
      silence: silence === null ? null : JSON.stringify(silence),
      health: JSON.stringify(health),
    };
    statement.run({ ...row, ...json });
  };
}

/** All nodes in order of arrival. */
export function allNodes(db: Db): NodeState[] {
  const select = db.prepare<[], NodeRow>(
    'SELECT name, boot_id, journal, cursor, mark, program, programs, silence, health FROM nodes ORDER BY ord',
  );
  return select.all().map((row) => ({
    name: row.name as NodeState['name'],
    bootId: row.boot_id,
    journal: row.journal,
    cursor: row.cursor,
    mark: row.mark as NodeState['mark'],
    program: row.program,
    programs: JSON.parse(row.programs) as NodeState['programs'],
    silence: row.silence === null ? null : (JSON.parse(row.silence) as NodeState['silence']),
    health: JSON.parse(row.health) as NodeState['health'],
  }));
}
