/** Of an even number of samples the mean of the middle two. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError('there is no median of no samples');
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Median and minimum: what is typical, and what it is when nobody else uses the machine. */
export function describeMs(samples: readonly number[]): string {
  return `${median(samples).toFixed(1)} ms (min ${Math.min(...samples).toFixed(1)})`;
}

/** Of the straight line that fits samples taken one step apart: how much each step adds. */
export function growthPerStep(samples: readonly number[]): number {
  const middle = (samples.length - 1) / 2;
  const mean = sum(samples) / samples.length;
  const steps = samples.map((_, step) => step - middle);
  const together = sum(samples.map((each, step) => (step - middle) * (each - mean)));
  return together / sum(steps.map((step) => step ** 2));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((before, each) => before + each, 0);
}
