// What a watcher reports of its host, read with care: it may be of another version, or somebody else's.
export type Report = Readonly<Record<string, unknown>>;

export function partOf(report: Report, name: string): Report {
  const part = report[name];
  return isReport(part) ? part : {};
}

export function listOf(report: Report, name: string): Report[] {
  const list = report[name];
  return Array.isArray(list) ? list.filter(isReport) : [];
}

export function textOf(report: Report, name: string): string | null {
  const value = report[name];
  if (typeof value === 'string') return value === '' ? null : value;
  return typeof value === 'number' ? String(value) : null;
}

export function numberOf(report: Report, name: string): number | null {
  const value = report[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function isReport(value: unknown): value is Report {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
