// The name of a model as a label. There are only so many: an app may ask for any name, and some APIs answer with it.
import { isModelName } from '../access/model-pattern.ts';

const modelsMax = 40;

/** Gives a function from the model that answered to its label. */
export function createModelLabels(): (model: string | null) => string {
  const known = new Set<string>();
  return (model) => {
    // What the CLI says for itself has no model's name.
    if (model === null || !isModelName(model)) return 'none';
    if (known.size < modelsMax) known.add(model);
    return known.has(model) ? model : 'other';
  };
}
