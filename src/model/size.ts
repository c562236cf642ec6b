const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/** Bytes: a number, or a text such as `512MiB`, `4G`, `4 GB` (all units are powers of 1024); null when it is not a size. */
export function parseSize(value: string | number): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 0 ? value : null;
  const found = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(value.trim());
  if (found === null) return null;
  const bytes = Math.round(Number(found[1]) * (UNITS[(found[2] ?? '').toUpperCase()] ?? 1));
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : null;
}

/** Bytes for people: `20 GiB`, `1.5 MiB`. */
export function formatSize(bytes: number): string {
  const [unit, of] =
    (['T', 'G', 'M', 'K'] as const)
      .map((name) => [name, UNITS[name] ?? 1] as const)
      .find(([, one]) => bytes >= one) ?? [];
  if (unit === undefined || of === undefined) return `${bytes} bytes`;
  return `${Math.round((bytes / of) * 10) / 10} ${unit}iB`;
}
