/** Something that is measured again and again: returns its figure, such as messages a second. */
export interface Contender {
  name: string;
  measure(): Promise<number>;
}

/**
 * Measures all contenders in turn, round after round, so that a machine that becomes slower or faster does so
 * for all of them. The order rotates: nobody always comes first.
 *
 * @returns the figures by name, one a round
 */
export async function interleave(
  contenders: readonly Contender[],
  rounds: number,
  onFigure: (name: string, round: number, figure: number) => void = () => {},
): Promise<Map<string, number[]>> {
  const figures = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(turn + round) % contenders.length];
      if (contender === undefined) continue;
      const figure = await contender.measure();
      figures.get(contender.name)?.push(figure);
      onFigure(contender.name, round, figure);
    }
  }
  return figures;
}
