import { Box } from 'ink';
import type { Model } from '../model/model.js';
import { headerParts } from '../view/header.js';
import { Ends, Line } from './line.js';

/** Height of the header in lines. */
export const HEADER_ROWS = 3;

/** The stream, group and server, the health, and the totals. */
export function Header({ model, width, isFrozen }: { model: Model; width: number; isFrozen: boolean }) {
  const { what, clock, status, stored, numbers } = headerParts(model, width, {
    frozen: isFrozen,
    drawn: true,
  });
  return (
    <Box flexDirection="column">
      <Ends left={what} right={clock} />
      <Ends left={status} right={stored} />
      <Line of={numbers} />
    </Box>
  );
}
