/** The forms that the parts of a message may have. Each throws FrameError with the name of the part. */
import { FrameError } from '../protocol/frame.ts';

export type Json = Readonly<Record<string, unknown>>;

export function need(holds: boolean, what: string): void {
  if (!holds) throw new FrameError(`a message with a wrong ${what}`);
}

export function object(value: unknown, what: string): Json {
  need(typeof value === 'object' && value !== null && !Array.isArray(value), what);
  return value as Json;
}

export function list(value: unknown, what: string): readonly unknown[] {
  need(Array.isArray(value), what);
  return value as readonly unknown[];
}

export function text(value: unknown, what: string): string {
  need(typeof value === 'string', what);
  return value as string;
}

export function whole(value: unknown, what: string): number {
  need(Number.isSafeInteger(value) && (value as number) >= 0, what);
  return value as number;
}

export function figure(value: unknown, what: string): void {
  need(typeof value === 'number' && Number.isFinite(value) && value >= 0, what);
}
