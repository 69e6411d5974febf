// The table of results, as Markdown that also reads well in a terminal.
export type Row = {
  name: string;
  /** The measured value, such as `1.03x`. */
  measured: string;
  target: string;
  isMet: boolean;
  /** The raw medians behind it. */
  ours: string;
  baseline: string;
  samples: number;
  /** Where the time goes: shown when the target is missed. */
  phases: string[];
};

const heads = ['row', 'measured', 'target', 'met', 'ours', 'baseline', 'n'];

export function renderTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    row.measured,
    row.target,
    row.isMet ? 'yes' : 'NO',
    row.ours,
    row.baseline,
    String(row.samples),
  ]);
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...cells.map((line) => line[column]?.length ?? 0)),
  );
  const render = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [render(heads), rule, ...cells.map(render)].join('\n');
}

/** What was found on the way, of the rows that miss their target or of all. */
export function renderPhases(rows: readonly Row[], all: boolean): string {
  return rows
    .filter((row) => (all || !row.isMet) && row.phases.length > 0)
    .map((row) => [`${row.name}:`, ...row.phases.map((each) => `  ${each}`)].join('\n'))
    .join('\n');
}

/** At most so many times the baseline. */
export function ratioRow(
  name: string,
  { ours, baseline }: { ours: number; baseline: number },
  bound: { atMost: number } | { atLeast: number },
): Pick<Row, 'name' | 'measured' | 'target' | 'isMet'> {
  const ratio = ours / baseline;
  const [sign, limit, isMet] =
    'atMost' in bound
      ? ['≤', bound.atMost, ratio <= bound.atMost]
      : ['≥', bound.atLeast, ratio >= bound.atLeast];
  return { name, measured: `${ratio.toFixed(3)}x`, target: `${sign} ${limit}x`, isMet };
}
