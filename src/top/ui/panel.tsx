import { Box, Text } from 'ink';
import type { ReactNode } from 'react';
import type { Model } from '../model/model.js';
import type { Ui } from '../screen/state.js';
import { span } from '../view/text.js';
import { Line } from './line.js';

/** What every panel gets: what to show, and the room for it with its title. */
export interface PanelProps {
  model: Model;
  ui: Ui;
  width: number;
  height: number;
}

interface FrameProps {
  title: string;
  /** Beside the title: how it is sorted, how much there is. */
  info?: string;
  isFocused: boolean;
  height: number;
  children?: ReactNode;
}

/** A title over the whole width, and what is below it. */
export function Panel({ title, info = '', isFocused, height, children }: FrameProps) {
  return (
    <Box flexDirection="column" height={height}>
      <Box height={1}>
        <Text bold inverse={isFocused}>
          {isFocused ? `▶ ${title} ` : `─ ${title} `}
        </Text>
        <Box
          flexGrow={1}
          borderStyle="single"
          borderDimColor
          borderBottom={false}
          borderLeft={false}
          borderRight={false}
        />
        {info !== '' && <Line of={[span(` ${info} ─`, { dim: true })]} />}
      </Box>
      {children}
    </Box>
  );
}
