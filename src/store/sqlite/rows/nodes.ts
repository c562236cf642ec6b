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
  const statement = db.prepare<
    [string, string | null, string | null, number, string, string | null, string, string | null, string]
  >(`
    INSERT INTO nodes (name, boot_id, journal, cursor, mark, program, programs, silence, health)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET boot_id = excluded.boot_id, journal = excluded.journal, cursor = excluded.cursor,
      mark = excluded.mark, program = excluded.program, programs = excluded.programs, silence = excluded.silence,
      health = excluded.health`);
  return ({ name, bootId, journal, cursor, mark, program, programs, silence, health }) => {
    statement.run(
      name,
      bootId,
      journal,
      cursor,
      mark,
      program,
      JSON.stringify(programs),
      silence === null ? null : JSON.stringify(silence),
      JSON.stringify(health),
    );
  };
}

/**
 * A statement that writes how far a node's journal was read, which is most of what is ever written of it and a seventh of
 * the work of its whole row. @param put writes the row of a node that has none yet.
 */
export function hearNode(db: Db, put: (node: NodeState) => void): (node: NodeState) => void {
  const statement = db.prepare<[string | null, number, string]>(
    'UPDATE nodes SET journal = ?, cursor = ? WHERE name = ?',
  );
  return (node) => {
    const { changes } = statement.run(node.journal, node.cursor, node.name);
    if (changes === 0) put(node);
  };
}

/** A statement that reads all nodes in order of arrival. */
export function allNodes(db: Db): () => NodeState[] {
  const select = db.prepare<[], NodeRow>(
    'SELECT name, boot_id, journal, cursor, mark, program, programs, silence, health FROM nodes ORDER BY ord',
  );
  return () =>
    select.all().map((row) => ({
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
