/** What project.yaml says about the cage of its agents: one word, or the whole with limits and hosts. */
import * as z from 'zod';
import { CAGE_LEVELS, type CageRules, DEFAULT_CAGE, parseHost } from '../model/cage.ts';
import { count, line, place, refine, size, sizeOf } from './fields.ts';

export const cageLevelSchema = z.enum(CAGE_LEVELS);

export const hostSchema = line.check(
  refine((text) =>
    parseHost(text) === null
      ? {
          code: 'E_SPEC_VALUE',
          message: 'is not a host such as registry.npmjs.org, *.example.com or host:8443',
        }
      : null,
  ),
);

const limits = z.strictObject({
  memory: size
    .optional()
    .describe('Of all its processes together; 8GiB by default, where control groups can be used.'),
  processes: count(1, 1_000_000).optional().describe('Processes and threads at once; 2048 by default.'),
  file_size: size.optional().describe('Of any one file that is written; 8GiB by default.'),
  disk: size.optional().describe('Of its tree, HOME and /tmp together; 20GiB by default.'),
  cpus: z
    .number()
    .positive()
    .max(4096)
    .optional()
    .describe('Processors’ worth of time; no bound by default.'),
});

const whole = z.strictObject({
  level: cageLevelSchema.optional().describe('none, basic or strict; basic by default.'),
  network: z
    .union([z.literal(true), z.array(hostSchema).max(200)])
    .optional()
    .describe('With strict: hosts besides the model’s own, [registry.npmjs.org]; true: the whole network.'),
  read_only: z
    .array(place)
    .max(100)
    .optional()
    .describe('With strict: places on the node that agents may read besides the system.'),
  limits: limits.optional(),
});

export const cageSchema = z
  .union([cageLevelSchema, whole])
  .describe('What agents may see and use on a node: none, basic (by default) or strict, or the details.');

/** The rules with defaults filled in; null when the project says nothing. */
export function cageFrom(input: z.infer<typeof cageSchema> | undefined): CageRules | null {
  if (input === undefined) return null;
  if (typeof input === 'string') return { ...DEFAULT_CAGE, level: input };
  const own = input.limits;
  const { limits: usual } = DEFAULT_CAGE;
  return {
    level: input.level ?? DEFAULT_CAGE.level,
    network: input.network ?? DEFAULT_CAGE.network,
    readOnly: input.read_only ?? DEFAULT_CAGE.readOnly,
    limits: {
      memory: sizeOf(own?.memory) ?? usual.memory,
      processes: own?.processes ?? usual.processes,
      fileSize: sizeOf(own?.file_size) ?? usual.fileSize,
      disk: sizeOf(own?.disk) ?? usual.disk,
      cpus: own?.cpus ?? usual.cpus,
    },
  };
}
