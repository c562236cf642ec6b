import type { Delivery, Project } from '../../../model/task.ts';
import type { Db } from '../database.ts';

/** What changes while a project goes its way. */
interface MovingRow {
  readonly name: string;
  readonly started: 0 | 1;
  readonly skip_control: string | null;
  readonly integration: string | null;
  readonly green: string;
  readonly tests: string;
  readonly gates: string;
  readonly delivery_at: string | null;
  /** The delivery without its `at`. */
  readonly delivery: string | null;
  readonly broken: string | null;
  readonly controls: string;
  readonly contract: string | null;
  readonly hold: string | null;
  readonly delivered: string | null;
}

interface ProjectRow extends MovingRow {
  readonly config: string;
}

/** A statement that writes a project's row, new or known. */
export function putProject(db: Db): (project: Project) => void {
  const statement = db.prepare<[ProjectRow]>(`
    INSERT INTO projects (name, config, started, skip_control, integration, green, tests, gates, delivery_at, delivery, broken, controls, contract, hold, delivered)
    VALUES (@name, @config, @started, @skip_control, @integration, @green, @tests, @gates, @delivery_at, @delivery, @broken, @controls, @contract, @hold, @delivered)
    ON CONFLICT (name) DO UPDATE SET config = @config, started = @started, skip_control = @skip_control,
      integration = @integration, green = @green,
      tests = @tests, gates = @gates, delivery_at = @delivery_at, delivery = @delivery, broken = @broken,
      controls = @controls, contract = @contract, hold = @hold, delivered = @delivered`);
  return (project) => {
    statement.run({ ...movingRow(project), config: JSON.stringify(project.config) });
  };
}

/** A statement that writes everything but the configuration, which rarely changes and is the largest part. */
export function moveProject(db: Db): (project: Project) => void {
  const statement = db.prepare<[MovingRow]>(`
    UPDATE projects SET started = @started, skip_control = @skip_control, integration = @integration, green = @green,
      tests = @tests, gates = @gates, delivery_at = @delivery_at, delivery = @delivery, broken = @broken,
      controls = @controls, contract = @contract, hold = @hold, delivered = @delivered
    WHERE name = @name`);
  return (project) => {
    statement.run(movingRow(project));
  };
}

/** A statement that reads all projects in order of arrival. */
export function allProjects(db: Db): () => Project[] {
  const select = db.prepare<[], ProjectRow>(
    'SELECT name, config, started, skip_control, integration, green, tests, gates, delivery_at, delivery, broken, controls, contract, hold, delivered FROM projects ORDER BY ord',
  );
  return () => select.all().map(fromRow);
}

function movingRow(project: Project): MovingRow {
  const {
    name,
    started,
    skipControl,
    integration,
    green,
    tests,
    gates,
    delivery,
    broken,
    controls,
    contract,
    hold,
    delivered,
  } = project;
  const { at, ...rest } = delivery ?? { at: null };
  return {
    name,
    started: started ? 1 : 0,
    skip_control: skipControl,
    integration,
    green: JSON.stringify(green),
    tests: JSON.stringify(tests),
    gates: JSON.stringify(gates),
    delivery_at: at,
    delivery: at === null ? null : JSON.stringify(rest),
    broken: broken === null ? null : JSON.stringify(broken),
    controls: JSON.stringify(controls),
    contract: contract === null ? null : JSON.stringify(contract),
    hold: hold === null ? null : JSON.stringify(hold),
    delivered: delivered === null ? null : JSON.stringify(delivered),
  };
}

function fromRow(row: ProjectRow): Project {
  return {
    name: row.name as Project['name'],
    config: JSON.parse(row.config) as Project['config'],
    started: row.started === 1,
    skipControl: row.skip_control,
    integration: row.integration as Project['integration'],
    green: JSON.parse(row.green) as string[],
    tests: JSON.parse(row.tests) as Project['tests'],
    gates: JSON.parse(row.gates) as Project['gates'],
    delivery:
      row.delivery === null
        ? null
        : ({ at: row.delivery_at, ...(JSON.parse(row.delivery) as object) } as Delivery),
    broken: row.broken === null ? null : (JSON.parse(row.broken) as Project['broken']),
    controls: JSON.parse(row.controls) as Project['controls'],
    contract: row.contract === null ? null : (JSON.parse(row.contract) as Project['contract']),
    hold: row.hold === null ? null : (JSON.parse(row.hold) as Project['hold']),
    delivered: row.delivered === null ? null : (JSON.parse(row.delivered) as Project['delivered']),
  };
}
