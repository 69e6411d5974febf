// Variants are measured in turn, so that whatever else the machine does hits all of them alike.
/** Every round begins with another variant; the first `warmUp` rounds do not count. */
export async function interleave<Name extends string>(
  variants: Readonly<Record<Name, () => Promise<number | number[]>>>,
  { rounds, warmUp }: { rounds: number; warmUp: number },
): Promise<Record<Name, number[]>> {
  const names = Object.keys(variants) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    number[]
  >;
  for (let round = 0; round < rounds + warmUp; round += 1) {
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const measured = await variants[name]();
      if (round >= warmUp) samples[name].push(...[measured].flat());
    }
  }
  return samples;
}
