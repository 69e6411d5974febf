// A model that may be asked for: an exact name, or a prefix ending in `*`.

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._:@/[\]-]{0,127}$/;

export function isModelName(text: string): boolean {
  return namePattern.test(text);
}

export function isModelPattern(text: string): boolean {
  return text === '*' || isModelName(text.endsWith('*') ? text.slice(0, -1) : text);
}

/** Whether the patterns cover a model, or all that a narrower pattern stands for. */
export function allowsModel(patterns: readonly string[], model: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : model === pattern,
  );
}
