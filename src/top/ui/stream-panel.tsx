import { Box } from 'ink';
import { ROOMY_COLUMNS, streamFacts } from '../view/stream.js';
import { Lines } from './line.js';
import { Panel, type PanelProps } from './panel.js';

/** The stream's state, limits and replicas, in two columns if they fit. */
export function StreamPanel(props: PanelProps) {
  const { model, width, height } = props;
  const { facts, last } = streamFacts(model, width);
  const isRoomy = width >= ROOMY_COLUMNS;
  const half = isRoomy ? Math.ceil(facts.length / 2) : facts.length;
  const room = height - 1;
  return (
    <Panel {...props} id="stream" title="Stream" info={model.target?.stream ?? ''}>
      <Box columnGap={1}>
        <Box flexDirection="column" width={isRoomy ? '50%' : '100%'}>
          <Lines of={facts.slice(0, Math.min(half, room))} />
        </Box>
        <Box flexDirection="column" flexGrow={1} flexBasis={0}>
          <Lines of={facts.slice(half, half + room)} />
        </Box>
      </Box>
      <Lines of={last.slice(0, Math.max(0, room - half))} />
    </Panel>
  );
}
