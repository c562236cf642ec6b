/**
 * Cycles of a dependency graph: one per knot of tasks that wait for each other, found as strongly connected components
 * (R. Tarjan, "Depth-first search and linear graph algorithms", 1972), without recursion, since chains may be long.
 */

/** One shortest cycle per component, as ids in waiting order, the first not repeated. Unknown dependencies are ignored. */
export function findCycles(dependsOn: ReadonlyMap<string, readonly string[]>): string[][] {
  return components(dependsOn)
    .filter((members) => members.length > 1 || dependsOn.get(members[0] ?? '')?.includes(members[0] ?? ''))
    .map((members) => shortestCycle(members, dependsOn));
}

interface Visit {
  readonly id: string;
  readonly next: Iterator<string>;
}

function components(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const lower = (id: string, to: number): void => void low.set(id, Math.min(low.get(id) ?? to, to));
  const enter = (id: string): Visit => {
    index.set(id, index.size);
    low.set(id, index.size - 1);
    stack.push(id);
    onStack.add(id);
    return { id, next: (graph.get(id) ?? []).values() };
  };
  for (const root of graph.keys()) {
    if (index.has(root)) continue;
    const visits = [enter(root)];
    for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) {
      const step = visit.next.next();
      if (step.done !== true) {
        if (!graph.has(step.value)) continue;
        if (!index.has(step.value)) visits.push(enter(step.value));
        else if (onStack.has(step.value)) lower(visit.id, index.get(step.value) ?? 0);
        continue;
      }
      visits.pop();
      const above = visits.at(-1);
      const own = low.get(visit.id) ?? 0;
      if (above !== undefined) lower(above.id, own);
      if (own !== index.get(visit.id)) continue;
      const members = stack.splice(stack.lastIndexOf(visit.id));
      for (const member of members) onStack.delete(member);
      found.push(members);
    }
  }
  return found;
}

/** Breadth first from the component's first member back to itself, within the component. */
function shortestCycle(members: readonly string[], graph: ReadonlyMap<string, readonly string[]>): string[] {
  const inside = new Set(members);
  const start = members.reduce((a, b) => (a < b ? a : b));
  const cameFrom = new Map<string, string>();
  const open = [start];
  for (const id of open) {
    for (const next of graph.get(id) ?? []) {
      if (next === start) return wayTo(id, start, cameFrom);
      if (!inside.has(next) || cameFrom.has(next)) continue;
      cameFrom.set(next, id);
      open.push(next);
    }
  }
  return [...members];
}

function wayTo(end: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [end];
  for (let id = end; id !== start; ) {
    id = cameFrom.get(id) ?? start;
    way.push(id);
  }
  return way.reverse();
}
