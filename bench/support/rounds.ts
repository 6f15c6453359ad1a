/** A measurement that can be repeated. It returns one figure, such as messages a second. */
export interface Contender {
  name: string;
  measure(): Promise<number>;
}

/**
 * Measures all contenders in turn, round after round, so that a change of the machine's speed affects all of them. The order changes with
 * each round, so that no contender always follows the same contender.
 *
 * @returns the figures by name, one for each round
 */
export async function interleave(
  contenders: readonly Contender[],
  rounds: number,
  onFigure: (name: string, round: number, figure: number) => void = () => {},
): Promise<Map<string, number[]>> {
  const figures = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const order = [
      ...contenders.slice(round % contenders.length),
      ...contenders.slice(0, round % contenders.length),
    ];
    if (round % 2 === 1) order.reverse();
    for (const contender of order) {
      const figure = await contender.measure();
      figures.get(contender.name)?.push(figure);
      onFigure(contender.name, round, figure);
    }
  }
  return figures;
}
